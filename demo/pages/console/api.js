// Requests to the gateway's API with the cookie of the login.

import { ROOT } from '../assets/site.js';
import { t } from './words.js';

/** @typedef {{ ok: boolean, status: number, data: any, message: string }} Answer */

/** Called when the gateway no longer knows this browser. @type {{ loggedOut: (message: string) => void }} */
export const session = { loggedOut: () => {} };

/**
 * @param {string} method
 * @param {string} path below the gateway's root
 * @param {{ body?: unknown, token?: string }} [more]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, { body, token } = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (token) headers.authorization = `Bearer ${token}`;
  try {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(new URL(path, ROOT), { method, headers, ...content, cache: 'no-store' });
    const text = await response.text();
    const data = parse(text);
    const message = data?.message ?? data?.detail ?? response.statusText;
    if (response.status === 401 && !token) session.loggedOut(String(message));
    return { ok: response.ok, status: response.status, data: data ?? {}, message: String(message) };
  } catch {
    return { ok: false, status: 0, data: {}, message: t('lost') };
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Returns the error of an answer as a sentence; an empty text if the request succeeded. @param {Answer} answer */
export const refusal = (answer) => (answer.ok ? '' : t('failed', { why: answer.message }));

/** Whether this gateway has no such address. @param {Answer} answer */
export const isAbsent = (answer) => answer.status === 404 || answer.status === 405 || answer.status === 501;

/** The path of a stream, each part escaped. @param {string} name */
export const path = (name) => name.split('/').map(encodeURIComponent).join('/');
