'use client';

import { useEffect, useState } from 'react';
import 'lianmai/react';

export default function Page() {
  const [url, setUrl] = useState();
  useEffect(() => setUrl(new URLSearchParams(location.search).get('url') ?? undefined), []);
  return <srs-player url={url} title="Live" autoplay muted controls />;
}
