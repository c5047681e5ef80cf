// Errors of publishing.
/** An error with a code, for which the texts have a sentence, and a detail for the sentence. */
export class PublishError extends Error {
  /** @param {string} code @param {string} [detail] */
  constructor(code, detail = '') {
    super(detail || code);
    this.code = code;
    this.detail = detail;
    /** Whether no server has received the request and its token. */
    this.unspent = false;
  }
}

/** Creates the error for a server that does not answer. @param {unknown} error @returns {PublishError} */
export const unreached = (error) => Object.assign(new PublishError('network', String(error)), { unspent: true });

/**
 * Returns an error with a code. (Scripts that are loaded later have their own classes, so `instanceof` does not work.)
 * @param {unknown} error
 * @param {string} code the code for an error without a code
 * @returns {PublishError}
 */
export const coded = (error, code) => (typeof /** @type {PublishError | undefined} */ (error)?.code === 'string' ? /** @type {PublishError} */ (error) : new PublishError(code, String(error)));

/** @typedef {{ allowsFeature: (feature: string) => boolean }} Policy */

/**
 * Returns `frame` if the page around this page withholds features, `embedded` if there is such a page and the browser
 * does not report it, else an empty text.
 * @param {string[]} features
 */
function framed(features) {
  const page = /** @type {{ permissionsPolicy?: Policy, featurePolicy?: Policy }} */ (document);
  const policy = page.permissionsPolicy ?? page.featurePolicy;
  if (policy) return features.some((feature) => !policy.allowsFeature(feature)) ? 'frame' : '';
  return globalThis.top === globalThis.self ? '' : 'embedded';
}

/**
 * Returns the error for a camera, microphone or screen that could not be opened.
 * @param {unknown} error of getUserMedia or getDisplayMedia
 * @param {boolean} screen
 */
export function captureError(error, screen = false) {
  const { name, message } = /** @type {DOMException} */ (error);
  const frame = framed(screen ? ['display-capture'] : ['camera', 'microphone']);
  // If the page around withholds the features, other reasons do not matter.
  if (name === 'NotAllowedError' || frame === 'frame') return new PublishError(screen ? 'no-screen' : 'permission', frame || message);
  if (name === 'SecurityError') return new PublishError('permission', message);
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return new PublishError('no-device', message);
  if (name === 'NotReadableError' || name === 'AbortError') return new PublishError('device-busy', message);
  return new PublishError('capture', message);
}

/** Converts a server's refusal to an error of the publisher. @param {Response} response */
export async function refused(response) {
  const { status } = response;
  const text = await response.text().catch(() => '');
  let detail = '';
  try {
    detail = JSON.parse(text).detail ?? '';
  } catch {
    // The body is not JSON (application/problem+json).
  }
  const code = status === 401 || status === 403 ? 'forbidden'
    : status === 409 ? 'busy'
      : status === 406 ? 'no-h264'
        : status === 404 || status === 405 || status === 501 ? 'no-webrtc' : 'http';
  // A proxy sends 502 to 504 if the server behind it is down.
  return Object.assign(new PublishError(code, detail || `HTTP ${status}`), { unspent: status > 501 && status < 505 });
}

/** Creates the errors of WHIP. @type {import('../../net/signalling.js').Errors} */
export const WHIP_ERRORS = { refused, unreached };
