// One player and one publisher, as `?url=…` and `?base=…` say.
import { SrsPlayerElement } from 'lianmai';

const query = new URLSearchParams(location.search);
SrsPlayerElement.base = query.get('base') ?? '';
const player = document.createElement('srs-player');
for (const name of ['autoplay', 'muted', 'controls']) player.setAttribute(name, '');
player.setAttribute('url', query.get('url') ?? '');
document.body.append(player);
