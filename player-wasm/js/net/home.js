// Finds the folder with the files that belong to the scripts.

/**
 * The package's folder if Vite's development server (before version 8) has copied the scripts elsewhere, without the
 * files that they fetch by `import.meta.url`. Empty if the files are beside the scripts.
 */
export const HOME = /\/\.vite\/deps\//.test(import.meta.url)
  ? import.meta.url.replace(/\.vite\/deps\/.*/, 'lianmai/dist/srs-player/') : '';
