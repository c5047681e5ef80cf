// Which stream the page shows: `?server=http://host:8080&stream=live/x`.

const query = new URLSearchParams(location.search);

/**
 * @param {string} ending `.flv`, `.m3u8`, `/whep`, `/whip`
 * @param {string} [stream]
 */
export function address(ending, stream = 'live/livestream') {
  return `${query.get('server') ?? 'http://127.0.0.1:8080'}/${query.get('stream') ?? stream}${ending}`;
}
