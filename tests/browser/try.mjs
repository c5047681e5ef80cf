import { startBrowser, PlayerPage, until } from './support/browser.mjs';
import { startServer } from './support/server.mjs';
import { clip } from './support/clips.mjs';
const server = await startServer();
const browser = await startBrowser();
const p = await PlayerPage.open(browser, server.url);
p.page.on('console', m => console.log('console', m.text()));
const c = clip();
const url = server.stream('a', (x) => x.play(c));
await p.play(url, { latency: 'realtime', worker: !process.env.NOWORKER });
for (let i = 0; i < 8; i++) { await new Promise(r => setTimeout(r, 700)); const l = await p.look(); console.log(JSON.stringify(l)); }
await p.moves();
console.log('loud', await p.loudness());
await p.close(); await browser.close(); await server.close();
