import 'lianmai';
import { address } from './address.js';

const publisher = document.querySelector('srs-publisher');
const player = document.querySelector('srs-player');
if (publisher) publisher.url = address('/whip', 'live/beside');
// It waits until the publisher is live, and starts by itself.
if (player) player.url = address('/whep', 'live/beside');
