// `import 'lianmai/react'`: what `lianmai` is, and the elements in JSX (React 19).

import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { SrsPlayerAttributes, SrsPublisherAttributes } from './attributes.js';
import type { SrsPlayerElement, SrsPublisherElement } from './index.js';

export * from './index.js';

/** An element's attributes, and what every element of React has. */
type Props<Own, Element> = Own & Omit<DetailedHTMLProps<HTMLAttributes<Element>, Element>, keyof Own>;

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'srs-player': Props<SrsPlayerAttributes, SrsPlayerElement>;
      'srs-publisher': Props<SrsPublisherAttributes, SrsPublisherElement>;
    }
  }
}
