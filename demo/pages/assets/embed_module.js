// The page at `/embed/module.html`: uses the module without the element.

import { Player } from '../srs-player/index.js';

const video = /** @type {HTMLVideoElement} */ (document.getElementById('video'));
const state = /** @type {HTMLElement} */ (document.getElementById('state'));
const player = new Player(video, { latency: 'low' });
player.addEventListener('state', () => { state.textContent = player.state; });
player.load(new URL('../live/livestream.flv', import.meta.url).href);
player.play().catch(() => {});
