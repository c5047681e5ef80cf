// The module of the npm package: defines <srs-player> and <srs-publisher>, and hands out the parts.

export * from './player/define.js';
export * from './publisher/define.js';
