// Stores a person's name in the browser for the next visit.

const KEY = 'lianmai name';

/** Returns the stored name, or stores a new one. @param {string} [name] */
export function ownName(name) {
  try {
    if (name === undefined) return localStorage.getItem(KEY) ?? '';
    localStorage.setItem(KEY, name);
  } catch {
    // Private windows may have no storage. The next visit asks for the name again.
  }
  return name ?? '';
}
