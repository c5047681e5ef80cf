// Formats tokens and secrets for requests.

/** A JSON Web Token starts with `{"` in base64. */
const JWT = /^ey[\w-]+\.[\w-]+\.[\w-]*$/;

/** Returns true for a JSON Web Token (single use), false for a secret. @param {string} token */
export const isToken = (token) => JWT.test(token);

/** Returns the request header with a token or secret. @param {string} token @returns {Record<string, string>} */
export const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

/** Returns the query parameter with a token or secret, for requests without headers. @param {string} token */
export const parameter = (token) => token && `${isToken(token) ? 'token' : 'secret'}=${encodeURIComponent(token)}`;

/** Returns an address with a token or secret in its query. @param {string} url @param {string} token */
export function showing(url, token) {
  if (!token) return url;
  const [address = '', hash] = url.split(/#(.*)/s);
  return `${address}${address.includes('?') ? '&' : '?'}${parameter(token)}${hash === undefined ? '' : `#${hash}`}`;
}
