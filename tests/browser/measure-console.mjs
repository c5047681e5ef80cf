// What the console's list of many streams costs the browser:
//   node browser/measure-console.mjs [STREAMS] [SECONDS]
// Prints, once the page has settled, the processor time of the page's main thread, and of all of the browser's processes, in per cent of a core.
import { launch, until } from './harness.mjs';
import { startConsole } from './support/console.mjs';

/** Time after which the page has settled: scripts are compiled, and the first pictures are there. */
const SETTLED_MS = 15_000;

const [streams = 200, seconds = 60] = process.argv.slice(2).map(Number);
const console_ = await startConsole();
const browser = await launch();
try {
  console_.publishMany(streams, 1000);
  const { page } = await console_.open(browser, console_.link());
  await until('all cards', async () => (await page.locator('.stream').count()) === streams);
  await new Promise((resolve) => { setTimeout(resolve, SETTLED_MS); });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const whole = await browser.newBrowserCDPSession();
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
    const times = new Map();
    for (const { type, cpuTime } of processInfo) times.set(type, (times.get(type) ?? 0) + cpuTime);
    return Object.fromEntries([...metrics.map(({ name, value }) => [name, value]), ...times]);
  };
  const [before, start] = [await read(), performance.now()];
  await new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
  const [after, elapsed] = [await read(), (performance.now() - start) / 1000];
  const share = (/** @type {string} */ name) => `${((100 * (after[name] - before[name])) / elapsed).toFixed(2)} %`;
  console.log(`${streams} streams, ${elapsed.toFixed(0)} s, of one core:`);
  console.table({
    'main thread': share('TaskDuration'), scripts: share('ScriptDuration'), layout: share('LayoutDuration'),
    'renderer process': share('renderer'), 'GPU process (software rendering)': share('GPU'), 'browser process': share('browser'),
  });
} finally {
  await browser.close();
  await console_.stop();
}
