// The chat's style, in addition to the common style.

export const CHAT_CSS = `
:host{display:block;width:auto;min-width:240px;height:440px;aspect-ratio:auto;border-radius:var(--srs-radius,12px);--_size:36px;
--_bg:var(--srs-background,#141a26);--_fg:var(--srs-foreground,#eef1f8);--_quiet:#a3adc2;--_line:#ffffff1f;--_field:#0000002e;--_light:.82;--_chroma:.11;
--_on:var(--srs-on-accent,#06121f);--_danger:#ff8a97}
@media (prefers-color-scheme:light){:host{--_bg:var(--srs-background,#fff);--_fg:var(--srs-foreground,#182033);--_quiet:#566079;--_line:#1820331f;
--_field:#f2f4f9;--_light:.46;--_chroma:.13;--_accent:var(--srs-accent,#0b63ce);--_on:var(--srs-on-accent,#fff);--_danger:#b3122b}}
.chat{position:relative;display:flex;flex-direction:column;height:100%;overflow:hidden;border:1px solid var(--_line);border-radius:inherit}
.head{display:flex;align-items:center;gap:8px;min-height:46px;padding:4px 8px 4px 14px;border-bottom:1px solid var(--_line)}
.head strong{font-size:15px}
.gap{flex:1}
.watching{display:inline-flex;align-items:center;gap:4px;color:var(--_quiet);font-size:13px;font-variant-numeric:tabular-nums;padding-right:6px}
.watching svg{width:18px;height:18px}
.gear svg{width:20px;height:20px;color:var(--_quiet)}
button:hover{background:color-mix(in srgb,currentColor 12%,transparent)}
.panel{position:static;width:auto;display:grid;grid-template-columns:auto minmax(0,1fr);gap:8px 12px;align-items:center;padding:12px 14px;
border-bottom:1px solid var(--_line);background:var(--_field);font-size:13px}
.panel label{display:contents}
select,input{font:inherit;font-size:max(16px,1em);color:inherit;width:100%;height:auto;min-width:0;margin:0;padding:8px 12px;border-radius:10px;cursor:auto;
border:1px solid color-mix(in srgb,currentColor 45%,transparent);background:var(--_bg)}
select{font-size:13px;padding:6px 8px}
input{display:block}
input::placeholder{color:var(--_quiet);opacity:1}
input:disabled{opacity:.6}
.status{margin:0;padding:8px 14px;font-size:13px;background:var(--_field);border-bottom:1px solid var(--_line)}
.log{position:relative;flex:1;min-height:0;display:flex}
.lines{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:8px 0;scrollbar-width:thin}
.lines:focus-visible{outline-offset:-3px}
.lines:empty::before{content:attr(data-empty);display:block;padding:24px 14px;text-align:center;color:var(--_quiet)}
.line{position:relative;padding:3px 14px;overflow-wrap:anywhere;overflow:clip}
.line:hover,.line:focus-within{background:var(--_field)}
.line:focus-visible{outline-offset:-2px}
bdi{unicode-bidi:isolate}
.line .name{font-weight:600;color:inherit;color:oklch(var(--_light) var(--_chroma) var(--hue))}
.line .badge{display:inline-block;min-width:0;height:auto;padding:0 6px;border-radius:99px;font-size:11px;font-weight:600;line-height:17px;letter-spacing:0;
text-transform:none;vertical-align:1px;background:var(--_accent);color:var(--_on)}
.line .badge::before{content:none}
.line .badge.guest{background:none;color:inherit;box-shadow:inset 0 0 0 1px var(--_quiet)}
.dots{position:absolute;right:4px;top:0;min-width:32px;height:27px;background:var(--_bg);opacity:0}
.dots svg{width:20px;height:20px}
.line:hover .dots,.line:focus-within .dots,.dots:focus-visible{opacity:1}
@media (hover:none){.dots{opacity:.65}.line:has(.dots){padding-right:40px}}
.newer{position:absolute;left:50%;bottom:8px;transform:translateX(-50%);height:32px;padding:0 14px;border-radius:99px;background:var(--_accent);color:var(--_on);
font-weight:600;font-size:13px;box-shadow:0 2px 12px #0005;white-space:nowrap}
.newer::after{content:"↓"}
.newer:hover{background:var(--_accent);filter:brightness(1.08)}
.menu{position:absolute;z-index:2;right:10px;min-width:200px;max-width:calc(100% - 20px);padding:6px;border-radius:12px;border:1px solid var(--_line);
background:var(--_bg);box-shadow:0 8px 32px #0007}
.menu .of{padding:4px 10px 6px;font-size:12px;font-weight:600;color:var(--_quiet);white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.menu button{display:flex;justify-content:flex-start;width:100%;padding:0 10px;text-align:left}
.menu .danger{color:var(--_danger)}
.menu .sure{font-weight:700}
.invitation{position:static;width:auto;margin:0 10px 8px;padding:12px 14px;border:2px solid var(--_accent);border-radius:12px;background:var(--_bg);color:inherit}
.invitation p{margin:0}
.invitation [role=alert]{font-weight:600}
.hint{font-size:13px;color:var(--_quiet)}
.answers{display:flex;flex-wrap:wrap;gap:8px;margin-top:10px}
.answers button{padding:0 16px;border:1px solid color-mix(in srgb,currentColor 45%,transparent);flex:1}
.answers .primary{background:var(--_accent);border-color:var(--_accent);color:var(--_on);font-weight:600}
.compose{display:block;padding:6px 10px 0;border-top:1px solid var(--_line)}
.said{margin:2px 4px 6px;font-size:13px;color:var(--_quiet)}
.compose .name{margin-bottom:6px}
.entry{position:relative;display:flex;align-items:center;gap:4px}
.entry .write{flex:1;padding-right:64px}
.count{position:absolute;right:50px;font-size:11px;color:var(--_quiet);font-variant-numeric:tabular-nums;pointer-events:none}
.over{color:var(--_danger);font-weight:700}
.send{color:var(--_accent);min-width:40px;height:40px}
.send:disabled{opacity:.4;cursor:default}
.bar{position:static;display:flex;flex-wrap:wrap;align-items:center;gap:4px;padding:4px 8px 6px;min-height:44px;font-size:13px}
.hand{padding:0 12px 0 8px}
.hand[aria-pressed=true]{background:var(--_accent);color:var(--_on)}
.hand svg,.like svg{width:22px;height:22px}
.me{color:var(--_quiet);min-width:0;max-width:40%;padding:0 8px;text-decoration:underline dotted;text-underline-offset:3px}
.me bdi{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.like{position:relative;padding:0 12px 0 8px;font-variant-numeric:tabular-nums;font-weight:600}
.like svg{fill:var(--_live)}
.rise{position:absolute;left:8px;top:7px;pointer-events:none}
@media (pointer:coarse){:host{--_size:44px}}
@media (forced-colors:active){.line .badge,.newer,.menu{border:1px solid}}
`;
