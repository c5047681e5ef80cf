// `import 'lianmai/vue'`: what `lianmai` is, and the elements in Vue's templates.

import type { DefineComponent } from 'vue';
import type {
  SrsAudienceAttributes, SrsChatAttributes, SrsMixerAttributes, SrsPlayerAttributes, SrsPublisherAttributes, SrsRoomAttributes, SrsRoomListAttributes,
} from './attributes.js';

export * from './index.js';

declare module 'vue' {
  interface GlobalComponents {
    'srs-player': DefineComponent<SrsPlayerAttributes>;
    'srs-publisher': DefineComponent<SrsPublisherAttributes>;
    'srs-room': DefineComponent<SrsRoomAttributes>;
    'srs-mixer': DefineComponent<SrsMixerAttributes>;
    'srs-chat': DefineComponent<SrsChatAttributes>;
    'srs-audience': DefineComponent<SrsAudienceAttributes>;
    'srs-room-list': DefineComponent<SrsRoomListAttributes>;
  }
}
