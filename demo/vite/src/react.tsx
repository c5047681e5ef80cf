import { StrictMode, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { LivePlayer } from './LivePlayer.tsx';
import { address } from './address.js';

function App() {
  const [state, setState] = useState('idle');
  const player = useRef<HTMLElementTagNameMap['srs-player']>(null);
  return (
    <>
      <h1>Lianmai with React</h1>
      <LivePlayer ref={player} url={address('.flv')} onState={setState} />
      <p>
        The player is <output>{state}</output>. <button onClick={() => player.current?.goLive()}>Go to live</button>
      </p>
    </>
  );
}

createRoot(document.getElementById('app')!).render(<StrictMode><App /></StrictMode>);
