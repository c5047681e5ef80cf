// node build.mjs NAME: the page by one bundler, as its documentation says, in out/NAME.
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

const name = process.argv[2];
const here = import.meta.dirname;
const out = join(here, 'out', name);
const page = () => cpSync(join(here, 'index.html'), join(out, 'index.html'));
const command = (...args) => execFileSync(process.execPath, args, { cwd: here, stdio: 'inherit' });

const builds = {
  async webpack() {
    const { default: webpack } = await import('webpack');
    const stats = await new Promise((resolve, reject) => {
      webpack({ mode: 'production', context: here, entry: './src/main.js', output: { path: join(out, 'src') } },
        (error, result) => (error ? reject(error) : resolve(result)));
    });
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
    page();
  },
  next: () => command('node_modules/next/dist/bin/next', 'build'),
  parcel: () => command('node_modules/parcel/lib/bin.js', 'build', 'index.html', '--dist-dir', out, '--no-cache', '--no-source-maps', '--public-url', './'),
  async rollup() {
    const [{ rollup }, { default: resolve }] = await Promise.all([import('rollup'), import('@rollup/plugin-node-resolve')]);
    const warnings = [];
    const bundle = await rollup({ input: join(here, 'src/main.js'), plugins: [resolve()], onwarn: ({ message }) => warnings.push(message) });
    await bundle.write({ dir: join(out, 'src'), format: 'es' });
    if (warnings.length) throw new Error(warnings.join('\n'));
    page();
  },
  async esbuild() {
    const { build } = await import('esbuild');
    const { warnings } = await build({ absWorkingDir: here, entryPoints: ['src/main.js'], bundle: true, format: 'esm', splitting: true, outdir: join(out, 'src') });
    if (warnings.length) throw new Error(JSON.stringify(warnings));
    page();
  },
};
await builds[name]();
