// The entry of the npm package: defines <srs-player> and <srs-publisher>, and exports their parts.

export * from './player/define.js';
export * from './publisher/define.js';
