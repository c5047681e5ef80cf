// Reads the text of a playlist.

/** Maximum size of a playlist in bytes: enough for 24 hours of two-second segments with long names. */
const LONGEST = 8 << 20;

/**
 * Reads a playlist. A response that does not begin like a playlist is not read further: it may be an endless stream.
 * @param {Response} response
 */
export async function textOf(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
    if ((text.length > 6 && !text.startsWith('#EXTM3U')) || text.length > LONGEST) {
      reader.cancel().catch(() => {});
      return `!${text.slice(0, 64)}`;
    }
  }
}
