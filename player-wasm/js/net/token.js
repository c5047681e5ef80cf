// Tokens and secrets, as a server is shown them.

/** A JSON Web Token begins with `{"` in base64. */
const JWT = /^ey[\w-]+\.[\w-]+\.[\w-]*$/;

/** Whether it is a JSON Web Token, which is used up by one start; a secret is not. @param {string} token */
export const isToken = (token) => JWT.test(token);

/** The header with a token or secret. @param {string} token @returns {Record<string, string>} */
export const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

/** The query parameter with a token or secret, where there are no headers. @param {string} token */
export const parameter = (token) => token && `${isToken(token) ? 'token' : 'secret'}=${encodeURIComponent(token)}`;

/** An address with a token or secret in its query. @param {string} url @param {string} token */
export function showing(url, token) {
  if (!token) return url;
  const [address = '', hash] = url.split(/#(.*)/s);
  return `${address}${address.includes('?') ? '&' : '?'}${parameter(token)}${hash === undefined ? '' : `#${hash}`}`;
}
