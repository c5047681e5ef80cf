// What can go wrong while publishing.

/** An error that has a code, for which there is a sentence, and a detail to put into it. */
export class PublishError extends Error {
  /** @param {string} code @param {string} [detail] */
  constructor(code, detail = '') {
    super(detail || code);
    this.code = code;
    this.detail = detail;
    /** What was asked, and the token with it, reached nobody. */
    this.unspent = false;
  }
}

/** Nobody is there to be asked. @param {unknown} error */
export const unreached = (error) => Object.assign(new PublishError('network', String(error)), { unspent: true });

/**
 * Any error as one with a code. (Not by its class: scripts that are loaded later have their own.)
 * @param {any} error
 * @param {string} code where it has none
 * @returns {PublishError}
 */
export const coded = (error, code) => (typeof error?.code === 'string' ? error : new PublishError(code, String(error)));

/**
 * Whether the page around this one keeps the features from it: `frame`; where the browser does not tell and
 * there is such a page: `embedded`; else empty.
 * @param {string[]} features
 */
function framed(features) {
  const page = /** @type {any} */ (document);
  const policy = page.permissionsPolicy ?? page.featurePolicy;
  if (policy) return features.some((feature) => !policy.allowsFeature(feature)) ? 'frame' : '';
  return globalThis.top === globalThis.self ? '' : 'embedded';
}

/**
 * Why there is no camera, microphone or screen.
 * @param {unknown} error of getUserMedia or getDisplayMedia
 * @param {boolean} screen
 */
export function captureError(error, screen = false) {
  const { name, message } = /** @type {DOMException} */ (error);
  const frame = framed(screen ? ['display-capture'] : ['camera', 'microphone']);
  // Whatever else is wrong: without the page around nothing helps.
  if (name === 'NotAllowedError' || frame === 'frame') return new PublishError(screen ? 'no-screen' : 'permission', frame || message);
  if (name === 'SecurityError') return new PublishError('permission', message);
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return new PublishError('no-device', message);
  if (name === 'NotReadableError' || name === 'AbortError') return new PublishError('device-busy', message);
  return new PublishError('capture', message);
}

/** @param {Response} response that is not a success */
export async function refusal(response) {
  const { status } = response;
  const text = await response.text().catch(() => '');
  let detail = '';
  try {
    detail = JSON.parse(text).detail ?? '';
  } catch {
    // Not a problem in JSON.
  }
  const code = status === 401 || status === 403 ? 'forbidden'
    : status === 409 ? 'busy'
      : status === 406 ? 'no-h264'
        : status === 404 || status === 405 || status === 501 ? 'no-webrtc' : 'http';
  // 502 to 504 are a proxy's, in front of a server that is away.
  return Object.assign(new PublishError(code, detail || `HTTP ${status}`), { unspent: status > 501 && status < 505 });
}
