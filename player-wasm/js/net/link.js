// Parses the `Link` header (RFC 8288), in which a server lists its ICE servers (RFC 9725, section 4.6).

/** Matches a target and its parameters, up to the next target. A quoted string may contain any character. */
const LINK = /<([^>]*)>((?:"(?:\\.|[^"\\])*"|[^"<])*)/g;
const PARAMETER = /([\w-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s;,"]*))/g;

/**
 * Returns the ICE servers in a `Link` header.
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
