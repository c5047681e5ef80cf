// The page at `/embed/beside.html`: publisher and player of one stream, with a random name.

const root = new URL('..', import.meta.url);
const name = new URLSearchParams(location.search).get('stream') ?? `beside-${Math.random().toString(36).slice(2, 8)}`;
document.querySelector('srs-publisher')?.setAttribute('url', new URL(`live/${name}/whip`, root).href);
document.querySelector('srs-player')?.setAttribute('url', new URL(`live/${name}/whep`, root).href);
