// The page at `/rooms/`: the rooms that are open.

import { $, ROOT } from './site.js';
import { translate } from './words.js';

translate();
$('rooms').setAttribute('server', ROOT.href.replace(/\/$/, ''));
