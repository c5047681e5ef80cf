// Reads the members of an element from the published types.
import { readFileSync } from 'node:fs';

/**
 * Returns the names of an element's own members: of its class, and of the properties that are attributes too.
 * @param {'SrsPlayer' | 'SrsPublisher'} element
 */
export function promisedMembers(element) {
  const block = (/** @type {string} */ file, /** @type {string} */ start) => {
    const types = readFileSync(new URL(`../../../player-wasm/js/types/${file}`, import.meta.url), 'utf8');
    const at = types.indexOf(start);
    if (at < 0) throw new Error(`${file} has no ${start}`);
    return types.slice(at, types.indexOf('\n}', at));
  };
  const text = block('index.d.ts', `export class ${element}Element`) + block('attributes.d.ts', `export interface ${element}Properties`);
  const names = [...text.matchAll(/^ {2}(?!static)(?:readonly |get |set )?(\w+)(?:\(.*\))?:? /gm)].map(([, name]) => name);
  return [...new Set(names)].filter((name) => name !== 'set');
}
