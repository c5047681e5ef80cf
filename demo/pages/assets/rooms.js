// The page at `/rooms/`: lists the open rooms.

import { $, ROOT } from './site.js';
import { translate } from './words.js';

translate();
$('rooms').setAttribute('server', ROOT.href.replace(/\/$/, ''));
