// The English sentences for error codes.

/** @type {Record<string, string>} */
const SENTENCES = {
  'audio-unsupported': 'This browser cannot play the audio of this stream; the video plays without it.',
  'autoplay-blocked': 'The browser wants a click before it plays audio.',
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

/** Returns the English sentence for a code, or the code itself if there is none. @param {string} code */
export const sentence = (code) => SENTENCES[code] ?? code;

/**
 * Returns the code whose sentence describes a failure best.
 * @param {string} code
 * @param {string} [more] a more exact code, or any other text about the failure
 */
export const word = (code, more) => (more && sentence(more) !== more ? more : code);

/**
 * Returns the English text for a failure. An HTTP status in `more` is added to the sentence for `code`; any other text
 * in `more` replaces it.
 * @param {string} code
 * @param {string} [more] a more exact code, an HTTP status, or any other text about the failure
 */
export const said = (code, more) => (/^HTTP/.test(more ?? '') ? `${sentence(code)} (${more})` : sentence(more || code));

/**
 * Returns the text with which the page itself refused the stream (an error of its `token` function), else ''. The
 * player shows this text as it is and does not translate it.
 * @param {string} code
 * @param {string} [more] a more exact code, or any other text about the failure
 */
export const own = (code, more) => (code === 'forbidden' && sentence(more ?? '') === more ? more : '');
