// The style of the list of rooms, in addition to the common style.

export const LIST_CSS = `
:host{display:block;width:auto;aspect-ratio:auto;overflow:visible;background:none;color:inherit;
--_card:#141a26;--_line:#262f42;--_quiet:#9ba6bf;--_on:var(--srs-on-accent,#08131f);--_field:#0c1018;--_light:.35;--_accent:var(--srs-accent,#6db3ff)}
@media (prefers-color-scheme:light){:host{--_card:#fff;--_line:#dfe3ec;--_quiet:#576078;--_on:var(--srs-on-accent,#fff);--_field:#f5f6fa;
--_accent:var(--srs-accent,#0b63ce)}}
.status{margin:0 0 12px;color:var(--_quiet)}
ul{list-style:none;margin:0 0 28px;padding:0;display:grid;gap:20px;grid-template-columns:repeat(auto-fill,minmax(min(100%,270px),1fr))}
a{display:block;height:100%;border:1px solid var(--_line);border-radius:14px;overflow:hidden;background:var(--_card);color:inherit;text-decoration:none}
a:hover{border-color:var(--_accent)}
a:focus-visible{outline-offset:2px}
.cover{display:block;position:relative;aspect-ratio:16/9;overflow:hidden;color:#fff;
background:#26324a;background:linear-gradient(140deg,oklch(.46 .1 var(--hue)),oklch(.27 .07 calc(var(--hue) + 60)))}
.cover canvas,.initials{position:absolute;inset:0;width:100%;height:100%}
.initials{display:flex;align-items:center;justify-content:center}
.initials span{width:56px;height:56px;margin:0 -6px;border-radius:50%;display:flex;align-items:center;justify-content:center;font-size:24px;font-weight:600;
background:#0b0e1480;box-shadow:0 0 0 2px #ffffff40;text-transform:uppercase}
.live,.audience{position:absolute;display:inline-flex;align-items:center;gap:4px;height:24px;padding:0 9px;border-radius:99px;font-size:12px;font-weight:600;
background:#0b0e14c7;color:#fff;font-variant-numeric:tabular-nums}
.live{left:10px;top:10px;background:#c8172f;letter-spacing:.02em}
.audience{right:10px;bottom:10px}
.audience svg{width:15px;height:15px}
.about{display:block;padding:12px 16px 14px}
.about strong{display:flex;gap:6px;align-items:center;font-size:16px;min-width:0}
.about strong bdi{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.lock svg{width:16px;height:16px;display:block;color:var(--_quiet)}
.hosts{display:block;color:var(--_quiet);overflow:hidden;text-overflow:ellipsis;white-space:nowrap;min-height:1.4em}
.start{display:block;max-width:560px}
.start.first{margin:0 auto;padding:36px 28px;text-align:center;border:1px dashed var(--_line);border-radius:14px;background:var(--_card)}
h2{margin:0 0 6px;font-size:16px}
.first h2{font-size:21px}
.start p{margin:0 0 18px;color:var(--_quiet);font-size:15px;text-wrap:balance}
.entry{display:flex;flex-wrap:wrap;gap:8px;align-items:end}
.first .entry{justify-content:center}
label{width:100%;font-size:13px;font-weight:600;color:var(--_quiet);text-align:start}
.entry input{flex:1 1 200px;font:inherit;font-size:16px;color:inherit;width:auto;min-width:0;height:44px;margin:0;padding:0 14px;border-radius:10px;cursor:auto;
display:block;border:1px solid color-mix(in srgb,currentColor 45%,transparent);background:var(--_field)}
.primary{height:44px;padding:0 20px;border-radius:10px;background:var(--_accent);color:var(--_on);font-weight:600}
.primary:hover{filter:brightness(1.08)}
`;
