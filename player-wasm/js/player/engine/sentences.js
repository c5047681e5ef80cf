// The English sentences for error codes.

/** @type {Record<string, string>} */
const SENTENCES = {
  'audio-unsupported': 'This browser cannot play the sound of this stream; the picture plays without it.',
  'autoplay-blocked': 'The browser wants a click before it plays sound.',
  'bad-url': 'This is not an address.',
  connections: 'This browser has no connection to this host left: it opens six at once. A ws:// address needs none of them.',
  cors: 'The server answers, but does not allow this page to read the stream (no Access-Control-Allow-Origin).',
  credentials: 'Browsers do not allow a user name and password in an address. Use the token instead.',
  csp: "The page's Content-Security-Policy does not allow the player to play. It lacks:",
  'refused-page': 'The stream was refused with a web page: a firewall or a login in front of the server does not let it through.',
  'segment-missing': 'Parts of the recording are missing on the server.',
  'web-page': 'This is the address of a web page, not of a stream.',
  closed: 'The server closed the connection.',
  'codec-unsupported': 'This browser cannot play the codecs of this stream.',
  engine: 'The player could not start.',
  forbidden: 'The server does not allow playing this stream.',
  http: 'The server answered with an error.',
  'media-error': 'The browser could not decode the stream.',
  network: 'The server cannot be reached.',
  'no-mse': 'This browser cannot play live streams.',
  'no-worker': 'The player runs without a worker.',
  'not-found': 'Nobody is live here now.',
  stalled: 'No data comes from the server.',
  'unsupported-format': 'This is not a stream that the player can read.',
  'unsupported-protocol': 'Browsers cannot play this kind of address.',
};

/** The English sentence for a code. @param {string} code */
export const sentence = (code) => SENTENCES[code] ?? code;

/** Which of the sentences is meant. @param {string} code @param {string} [more] */
export const word = (code, more) => (more && sentence(more) !== more ? more : code);

/** The sentence for a failure: its own, or that of its code. @param {string} code @param {string} [more] */
export const said = (code, more) => (/^HTTP/.test(more ?? '') ? `${sentence(code)} (${more})` : sentence(more || code));

/** A refusal that has words has them from the page. @param {string} code @param {string} [more] */
export const own = (code, more) => (code === 'forbidden' && sentence(more ?? '') === more ? more : '');
