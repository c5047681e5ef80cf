// Errors of publishing.
/** An error with a code, which the texts have a sentence for, and a detail to put into the sentence. */
export class PublishError extends Error {
  /** @param {string} code @param {string} [detail] */
  constructor(code, detail = '') {
    super(detail || code);
    this.code = code;
    this.detail = detail;
    /** The request, and the token with it, reached nobody. */
    this.unspent = false;
  }
}

/** No server answers. @param {unknown} error @returns {PublishError} */
export const unreached = (error) => Object.assign(new PublishError('network', String(error)), { unspent: true });

/**
 * Gives an error a code. (Scripts that are loaded later have classes of their own, so the class does not tell.)
 * @param {unknown} error
 * @param {string} code for an error without one
 * @returns {PublishError}
 */
export const coded = (error, code) => (typeof /** @type {PublishError | undefined} */ (error)?.code === 'string' ? /** @type {PublishError} */ (error) : new PublishError(code, String(error)));

/** @typedef {{ allowsFeature: (feature: string) => boolean }} Policy */

/**
 * Whether the page around this one withholds features: `frame`. If the browser does not tell and there is such a
 * page: `embedded`; else empty.
 * @param {string[]} features
 */
function framed(features) {
  const page = /** @type {{ permissionsPolicy?: Policy, featurePolicy?: Policy }} */ (document);
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
  // If the page around withholds the features, nothing else matters.
  if (name === 'NotAllowedError' || frame === 'frame') return new PublishError(screen ? 'no-screen' : 'permission', frame || message);
  if (name === 'SecurityError') return new PublishError('permission', message);
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return new PublishError('no-device', message);
  if (name === 'NotReadableError' || name === 'AbortError') return new PublishError('device-busy', message);
  return new PublishError('capture', message);
}

/** What a refusal means to a publisher. @param {Response} response */
export async function refused(response) {
  const { status } = response;
  const text = await response.text().catch(() => '');
  let detail = '';
  try {
    detail = JSON.parse(text).detail ?? '';
  } catch {
    // It is not JSON (application/problem+json).
  }
  const code = status === 401 || status === 403 ? 'forbidden'
    : status === 409 ? 'busy'
      : status === 406 ? 'no-h264'
        : status === 404 || status === 405 || status === 501 ? 'no-webrtc' : 'http';
  // 502 to 504 are a proxy's, in front of a server that is away.
  return Object.assign(new PublishError(code, detail || `HTTP ${status}`), { unspent: status > 501 && status < 505 });
}

/** Errors of WHIP. @type {import('../../net/signalling.js').Errors} */
export const WHIP_ERRORS = { refused, unreached };
