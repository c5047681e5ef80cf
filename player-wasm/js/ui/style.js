// The style of the shadow tree. A page may change the custom properties below and the ::part()s.

import { newSheet } from './sheet.js';

export const CSS_TEXT = `
:host{--_bg:var(--srs-background,#0b0e14);--_fg:var(--srs-foreground,#f4f6fb);--_accent:var(--srs-accent,#4da3ff);
--_live:var(--srs-live,#e5263f);--_say:var(--srs-message-background,#0b0e14b8);--_off:var(--srs-behind,#9aa3b5);--_panel:#0b0e14d9;--_size:var(--srs-control-size,40px);
display:inline-block;position:relative;width:640px;max-width:100%;aspect-ratio:16/9;overflow:hidden;
border-radius:var(--srs-radius,0);background:var(--_bg);color:var(--_fg);
font:14px/1.4 var(--srs-font,system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif);
-webkit-tap-highlight-color:transparent}
@media (prefers-color-scheme:light){:host{--_bg:var(--srs-background,#e9ecf2);--_fg:var(--srs-foreground,#182033)}}
:host([hidden]),[hidden]{display:none!important}
:host(:fullscreen){width:100%!important;height:100%!important;max-width:none;aspect-ratio:auto;border-radius:0;background:#000}
*{box-sizing:border-box}
.stage,video{position:absolute;inset:0;width:100%;height:100%}
.stage{outline:none}
video{display:block;object-fit:var(--srs-object-fit,contain)}
.seen video{background:#000}
button{font:inherit;color:inherit;background:none;border:0;margin:0;padding:0;cursor:pointer;border-radius:8px;
min-width:var(--_size);height:var(--_size);display:inline-flex;align-items:center;justify-content:center;gap:6px}
svg{width:24px;height:24px;fill:currentColor;flex:none}
:focus-visible{outline:3px solid var(--_accent);outline-offset:-2px}
.idle .stage{cursor:pointer}
.quiet .stage{cursor:none}
.big{position:absolute;top:50%;left:50%;width:76px;height:76px;margin:-38px;border-radius:50%;background:var(--_accent);
color:var(--srs-on-accent,#06121f);box-shadow:0 4px 24px #0006}
.big svg{width:38px;height:38px}
.note{position:absolute;inset:0;display:flex;flex-direction:column;gap:14px;align-items:center;justify-content:center;
padding:16px 16px 56px;text-align:center;pointer-events:none;font-size:15px;overflow-wrap:anywhere}
.note>*{pointer-events:auto}
.seen .note{color:var(--srs-message-foreground,#f4f6fb)}
.seen .note p{background:var(--_say);padding:6px 14px;border-radius:99px}
.note p{margin:0;max-width:52ch}
[data-state=error] .note p{border:2px solid var(--srs-error,#e5263f);padding:6px 14px;border-radius:12px}
.note button{border:1px solid;padding:0 16px}
.spin{flex:none;width:34px;height:34px;border-radius:50%;border:3px solid color-mix(in srgb,currentColor 25%,transparent);
border-top-color:var(--srs-waiting,currentColor);animation:spin .9s linear infinite}
[data-state=reconnecting] .spin{border-top-color:var(--srs-reconnecting,currentColor)}
@keyframes spin{to{transform:rotate(1turn)}}
.sound{position:absolute;top:12px;left:12px;padding:0 14px 0 10px;border-radius:99px;background:#fff;color:#10141d;
font-weight:600;box-shadow:0 2px 12px #0005}
.bar{position:absolute;inset:auto 0 0;display:flex;align-items:center;gap:2px;padding:28px 8px 6px;transition:opacity .2s}
.seen input{accent-color:#fff}
.seen .bar{color:#fff;background:linear-gradient(#0000,#000b)}
.quiet .bar{opacity:0;pointer-events:none}
.bar button:hover{background:color-mix(in srgb,currentColor 14%,transparent)}
.gap{flex:1}
input{width:84px;margin:0 8px;height:24px;accent-color:#9aa3b5;cursor:pointer}
.badge{padding:0 10px;font-size:12px;font-weight:700;letter-spacing:.06em;text-transform:uppercase}
.badge::before{content:"";flex:none;width:9px;height:9px;border-radius:50%;background:var(--_off)}
.badge.on::before{background:var(--_live)}
.heard{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.title{display:none;position:absolute;inset:0 0 auto;padding:10px 16px 24px;font-weight:600;transition:opacity .2s;pointer-events:none;
white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.titled .title{display:block}
.titled .sound,.titled .stats{top:46px}
.seen .title{color:#fff;background:linear-gradient(#000b,#0000)}
.quiet .title{opacity:0}
.viewers{display:inline-flex;align-items:center;gap:4px;font-size:12px;font-variant-numeric:tabular-nums}
.viewers svg{width:18px;height:18px}
[aria-pressed=false].captions{opacity:.6}
.stats{position:absolute;top:12px;right:12px;margin:0;padding:10px 12px;display:grid;grid-template-columns:auto auto;
gap:2px 14px;border-radius:10px;background:var(--_panel);color:#f4f6fb;font-size:12px;font-variant-numeric:tabular-nums;
max-width:calc(100% - 24px);max-height:calc(100% - 70px);overflow:auto}
.stats dt{opacity:.7}
.stats dd{margin:0;text-align:right;overflow-wrap:anywhere}
@media (prefers-color-scheme:light){.stats{--_panel:#fffffff0;color:#182033}}
.small input,.small .pip{display:none}
@media (hover:none){input{display:none}}
.small .stats{font-size:11px;gap:0 10px;padding:6px 10px}
@media (prefers-reduced-motion:reduce){.bar{transition:none}.spin{animation:none;border-top-color:inherit}}
@media (forced-colors:active){.big,.sound,.bar{border:1px solid}}
`;

/** Style sheets of each document, by their text. @type {WeakMap<Document, Map<string, CSSStyleSheet>>} */
const sheets = new WeakMap();

/**
 * Adds style sheets to a shadow root. All roots of a document share them. A sheet belongs to the document that created
 * it, so a root that moves to another document loses its sheets and must be styled again.
 * @param {ShadowRoot} root
 * @param {string[]} texts
 */
export function adopt(root, ...texts) {
  const { ownerDocument: page } = root;
  const made = sheets.get(page) ?? new Map();
  sheets.set(page, made);
  root.adoptedStyleSheets = texts.flatMap((text) => {
    if (!made.has(text)) made.set(text, newSheet(page, text));
    return made.get(text) ?? [];
  });
}
