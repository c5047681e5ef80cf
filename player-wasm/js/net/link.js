// The `Link` header (RFC 8288), by which a server names its ICE servers (RFC 9725, section 4.6).

/** A target and its parameters, up to the next target. A quoted string may hold anything. */
const LINK = /<([^>]*)>((?:"(?:\\.|[^"\\])*"|[^"<])*)/g;
const PARAMETER = /([\w-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;,"]*))/g;

/**
 * The ICE servers that a `Link` header names.
 * @param {string} header
 * @returns {RTCIceServer[]}
 */
export const iceServers = (header) => [...header.matchAll(LINK)].flatMap(([, urls = '', rest = '']) => {
  /** @type {Record<string, string>} */
  const given = {};
  for (const [, name = '', quoted, bare = ''] of rest.matchAll(PARAMETER)) given[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? bare;
  const { rel, username, credential } = given;
  if (!/^(stun|turn)s?:/i.test(urls) || !/(^| )ice-server( |$)/i.test(rel ?? '')) return [];
  return username === undefined ? { urls } : { urls, username, credential };
});
