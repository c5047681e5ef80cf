// The name under which a person writes, kept by the browser for the next visit.

const KEY = 'lianmai name';

/** Returns the name, or keeps a new one. @param {string} [name] */
export function ownName(name) {
  try {
    if (name === undefined) return localStorage.getItem(KEY) ?? '';
    localStorage.setItem(KEY, name);
  } catch {
    // Private windows may have no storage: the name is asked for again.
  }
  return name ?? '';
}
