// Only what plays: `lianmai/player` brings no publisher along.
import 'lianmai/player';
import { address } from './address.js';

const player = document.querySelector('srs-player');
if (player) player.url = address('.flv');
