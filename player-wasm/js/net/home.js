// Where the files beside the scripts are.

/**
 * The package's folder where Vite's own server has copied the scripts to one of its own, as it did before
 * version 8, and left behind what they fetch by `import.meta.url`; empty: the files are beside the scripts.
 */
export const HOME = /\/\.vite\/deps\//.test(import.meta.url)
  ? import.meta.url.replace(/\.vite\/deps\/.*/, 'lianmai/dist/srs-player/') : '';
