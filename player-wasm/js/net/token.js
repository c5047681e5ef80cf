// What shows a server that one may play or publish, once it is there.

/** A JSON Web Token begins with `{"` in base64. */
const JWT = /^ey[\w-]+\.[\w-]+\.[\w-]*$/;

/** One that stands for one start only, and is used up by it; a secret is none. @param {string} token */
export const isToken = (token) => JWT.test(token);

/** The header that shows it. @param {string} token @returns {Record<string, string>} */
export const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

/** Its part of a query, where there are no headers. @param {string} token */
export const parameter = (token) => token && `${isToken(token) ? 'token' : 'secret'}=${encodeURIComponent(token)}`;

/** An address that shows it. @param {string} url @param {string} token */
export function showing(url, token) {
  if (!token) return url;
  const [address = '', hash] = url.split(/#(.*)/s);
  return `${address}${address.includes('?') ? '&' : '?'}${parameter(token)}${hash === undefined ? '' : `#${hash}`}`;
}
