// A reporter of node's test runner: the path of each file in which a test failed, one per line.

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* failedFiles(events) {
  const seen = new Set();
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.todo || data.skip) continue;
    // A file that cannot be run at all is reported under its path.
    const file = data.file ?? data.name;
    if (!seen.has(file)) yield `${file}\n`;
    seen.add(file);
  }
}
