// `import 'lianmai/react'`: what `lianmai` is, and the elements in JSX (React 19).

import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type {
  SrsAudienceAttributes, SrsChatAttributes, SrsMixerAttributes, SrsPlayerAttributes, SrsPublisherAttributes, SrsRoomAttributes, SrsRoomListAttributes,
} from './attributes.js';
import type { SrsAudienceElement, SrsChatElement, SrsRoomListElement } from './define-chat.js';
import type { SrsMixerElement } from './define-mixer.js';
import type { SrsRoomElement } from './define-room.js';
import type { SrsPlayerElement, SrsPublisherElement } from './index.js';

export * from './index.js';

/** An element's attributes, and what every element of React has. */
type Props<Own, Element> = Own & Omit<DetailedHTMLProps<HTMLAttributes<Element>, Element>, keyof Own>;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'srs-player': Props<SrsPlayerAttributes, SrsPlayerElement>;
      'srs-publisher': Props<SrsPublisherAttributes, SrsPublisherElement>;
      'srs-room': Props<SrsRoomAttributes, SrsRoomElement>;
      'srs-mixer': Props<SrsMixerAttributes, SrsMixerElement>;
      'srs-chat': Props<SrsChatAttributes, SrsChatElement>;
      'srs-audience': Props<SrsAudienceAttributes, SrsAudienceElement>;
      'srs-room-list': Props<SrsRoomListAttributes, SrsRoomListElement>;
    }
  }
}
