// `import 'lianmai/vue'`: what `lianmai` is, and the elements in Vue's templates.

import type { DefineComponent } from 'vue';
import type { SrsPlayerAttributes, SrsPublisherAttributes } from './attributes.js';

export * from './index.js';

declare module 'vue' {
  interface GlobalComponents {
    'srs-player': DefineComponent<SrsPlayerAttributes>;
    'srs-publisher': DefineComponent<SrsPublisherAttributes>;
  }
}
