// The module of the npm package: defines <srs-player> and <srs-publisher>, and hands out the parts.

export * from './define-player.js';
export * from './define-publisher.js';
