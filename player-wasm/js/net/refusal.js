// What a refusal means to a player.

/** @param {number} status other than success @param {Response} [response] */
export function refusal(status, response) {
  const fatal = status === 401 || status === 403;
  const page = fatal && /html/.test(response?.headers.get('content-type') ?? '');
  return {
    code: fatal ? 'forbidden' : status === 404 || status === 410 ? 'not-found' : 'http',
    fatal,
    status,
    // A media server refuses in a few words; a firewall or a login sends a page.
    say: page ? 'refused-page' : fatal || status === 404 ? '' : `HTTP ${status}`,
    // The request itself is wrong, and would be wrong again.
    hopeless: status >= 400 && status < 500 && ![404, 408, 410, 425, 429].includes(status),
    // 502 to 504 are a proxy's, in front of a server that is away.
    unspent: status > 501 && status < 505,
  };
}
