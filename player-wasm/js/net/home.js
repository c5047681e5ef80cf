// Where the files are that lie beside the scripts.

/**
 * The package's folder, if Vite's development server has copied the scripts elsewhere, as it did before version 8: it
 * leaves behind the files that they fetch by `import.meta.url`. Empty: the files are beside the scripts.
 */
export const HOME = /\/\.vite\/deps\//.test(import.meta.url)
  ? import.meta.url.replace(/\.vite\/deps\/.*/, 'lianmai/dist/srs-player/') : '';
