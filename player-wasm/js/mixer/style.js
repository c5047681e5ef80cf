// The mixer's style. It is small, so that it does not need the player's.

export const MIXER_CSS = `
:host{--_bg:var(--srs-background,#0b0e14);--_fg:var(--srs-foreground,#f4f6fb);display:inline-block;position:relative;width:640px;max-width:100%;aspect-ratio:16/9;
overflow:hidden;border-radius:var(--srs-radius,0);background:var(--_bg);color:var(--_fg);font:14px/1.4 var(--srs-font,system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif)}
@media (prefers-color-scheme:light){:host{--_bg:var(--srs-background,#e9ecf2);--_fg:var(--srs-foreground,#182033)}}
:host([hidden]),[hidden]{display:none!important}
video{position:absolute;inset:0;width:100%;height:100%;object-fit:contain}
button{font:inherit;font-weight:600;border:0;border-radius:8px;cursor:pointer;height:var(--srs-control-size,40px);padding:0 14px;background:#fff;color:#10141d}
:focus-visible{outline:3px solid var(--srs-accent,#4da3ff);outline-offset:-2px}
.start{position:absolute;left:50%;top:50%;transform:translate(-50%,-50%);height:52px;padding:0 28px;border-radius:99px;font-size:17px;white-space:nowrap;
background:color-mix(in srgb,var(--srs-live,#e5263f) 88%,#000);color:#fff;box-shadow:0 4px 24px #0006}
.bar{position:absolute;left:0;right:0;bottom:0;display:flex;align-items:center;gap:10px;padding:28px 10px 8px}
.seen .bar{color:#fff;background:linear-gradient(#0000,#000b)}
p{margin:0;overflow-wrap:anywhere}
.problem{position:absolute;left:16px;right:16px;top:16px;padding:8px 14px;border:2px solid var(--srs-error,#e5263f);border-radius:12px;text-align:center}
.seen .problem{background:#0b0e14d9;color:#f4f6fb}
@media (forced-colors:active){button{border:1px solid}}
`;
