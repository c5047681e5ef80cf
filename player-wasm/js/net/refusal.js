// Converts a server's refusal to an error code.

/** @param {number} status other than success @param {Response} [response] */
export function refusal(status, response) {
  const fatal = status === 401 || status === 403;
  const page = fatal && /html/.test(response?.headers.get('content-type') ?? '');
  return {
    code: fatal ? 'forbidden' : status === 404 || status === 410 ? 'not-found' : 'http',
    fatal,
    status,
    // A media server refuses with a short text. A firewall or a login sends an HTML page.
    say: page ? 'refused-page' : fatal || status === 404 ? '' : `HTTP ${status}`,
    // The request itself is wrong, so a retry does not help.
    hopeless: status >= 400 && status < 500 && ![404, 408, 410, 425, 429].includes(status),
    // A proxy sends 502 to 504 if the server behind it is down.
    unspent: status > 501 && status < 505,
  };
}
