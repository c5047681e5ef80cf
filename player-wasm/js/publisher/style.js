// The publisher's style, in addition to the common style.

export const PUBLISHER_CSS = `
:host{container-type:inline-size}
.mirror video{transform:scaleX(-1)}
.start{position:absolute;left:50%;top:50%;transform:translate(-50%,-72%);height:52px;padding:0 28px 0 22px;
border-radius:99px;background:color-mix(in srgb,var(--_live) 88%,#000);color:#fff;font-size:17px;font-weight:600;white-space:nowrap;box-shadow:0 4px 24px #0006}
.start svg{width:14px;height:14px}
.bar .stop{padding:0 14px;background:#fff;color:#10141d;font-weight:600;height:calc(var(--_size) - 6px);margin-right:6px}
.bar .stop:hover{background:#e3e6ee}
.bar .stop svg{width:18px;height:18px;fill:var(--_live)}
.off,.seen .off{color:#ff8a97}
@media (prefers-color-scheme:light){.off{color:#b3122b}}
.bar,.seen .bar,.on .bar{flex-wrap:wrap}
.level{width:56px;height:6px;border-radius:3px;margin:0 8px 0 0;overflow:hidden;background:color-mix(in srgb,currentColor 24%,transparent)}
.level i{display:block;height:100%;width:100%;border-radius:3px;background:#39c46d;transform-origin:left;transform:scaleX(0)}
.badge{position:absolute;top:12px;left:12px;display:flex;align-items:center;gap:7px;padding:5px 12px;border-radius:99px;
background:#0b0e14b8;color:#f4f6fb;font-variant-numeric:tabular-nums;letter-spacing:0;text-transform:none}
.badge b{text-transform:uppercase;letter-spacing:.06em}
.note{padding:20px 20px calc(var(--_size) + 20px)}
.note.below{top:calc(50% + 27px);padding:0 20px 12px;justify-content:flex-start}
.note p{max-width:56ch}
.seen .note p{border-radius:12px}
.note.warn{inset:auto 0 calc(var(--_size) + 22px);padding:0 16px}
.note.warn p{background:#0b0e14d9;color:#f4f6fb;padding:6px 14px;border-radius:12px}
.note a{color:inherit;font-weight:600}
form{display:flex;gap:8px;align-items:center;flex-wrap:wrap;justify-content:center}
form button,.note .again{border:1px solid;padding:0 16px}
form label{display:flex;gap:8px;align-items:center}
input[type=password],select{font:inherit;color:inherit;width:auto;height:34px;margin:0;padding:0 10px;border-radius:8px;cursor:auto;
border:1px solid color-mix(in srgb,currentColor 40%,transparent);background:var(--_field);min-width:0;max-width:100%}
:host{--_field:#1a2130}
@media (prefers-color-scheme:light){:host{--_field:#fff}}
.panel{position:absolute;z-index:1;right:12px;bottom:calc(var(--_size) + 20px);display:grid;grid-template-columns:auto minmax(0,1fr);
gap:8px 12px;align-items:center;margin:0;padding:14px;border:0;border-radius:12px;background:var(--_panel);color:#f4f6fb;font-size:13px;
width:min(380px,calc(100% - 24px));max-height:calc(100% - var(--_size) - 32px);overflow:auto;box-shadow:0 6px 28px #0006}
.panel label{display:contents}
.panel{--_panel:#0b0e14f0}
@media (prefers-color-scheme:light){.panel{--_panel:#fffffff5;color:#182033}}
.stats dl{display:contents}
.sound-only{position:absolute;inset:0;display:flex;align-items:center;justify-content:center;opacity:.5}
.sound-only svg{width:96px;height:96px}
@media (hover:none){input[type=password]{display:block}}
.small input[type=password]{display:block}
.small .start{transform:translate(-50%,-100%);height:46px;padding:0 22px 0 18px}
.small .note{font-size:14px;padding:12px 12px calc(var(--_size) + 10px);gap:8px}
.small .note.below{top:calc(50% + 10px);padding:0 12px}
.small .level{width:32px}
@container (max-width:419px){.bar .stop span{display:none}}
`;
