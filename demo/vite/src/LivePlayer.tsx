import { useEffect, useRef, type Ref } from 'react';
import type { PlayerState, SrsPlayerElement } from 'lianmai/react';

interface Props {
  url: string;
  onState?: (state: PlayerState) => void;
  ref?: Ref<SrsPlayerElement>;
}

/** The element as a component. Nothing of it runs on a server but the tag. */
export function LivePlayer({ url, onState, ref }: Props) {
  const own = useRef<SrsPlayerElement>(null);
  useEffect(() => {
    // Defines the element; on a server there is none to define.
    void import('lianmai/player');
    const element = own.current;
    const tell = () => { if (element) onState?.(element.state ?? 'idle'); };
    element?.addEventListener('statechange', tell);
    return () => element?.removeEventListener('statechange', tell);
  }, [onState]);
  return (
    <srs-player
      ref={(element) => {
        own.current = element;
        if (typeof ref === 'function') ref(element);
        else if (ref) ref.current = element;
      }}
      url={url}
      title="Live"
      autoplay
      muted
      controls
    />
  );
}
