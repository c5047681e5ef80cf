/**
 * Returns the CSS for an element's size: width and height as on `<video>`, else the aspect ratio of its video.
 * @param {Element} element
 * @param {HTMLVideoElement} video
 */
export function sizeOf(element, { videoWidth, videoHeight }) {
  const width = Number(element.getAttribute('width')) || 0;
  const height = Number(element.getAttribute('height')) || 0;
  const [, across, down] = /^\s*(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)\s*$/.exec(element.getAttribute('ratio') ?? '') ?? [];
  const ratio = Number(across) && Number(down) ? `${across}/${down}` : width && height ? `${width}/${height}` : videoWidth ? `${videoWidth}/${videoHeight}` : '16/9';
  const own = width ? `width:${width}px;` : height ? `width:auto;height:${height}px;` : '';
  return `:host{${own}aspect-ratio:${ratio}}`;
}
