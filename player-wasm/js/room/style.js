// The room's style, in addition to the common one.

export const ROOM_CSS = `
:host{display:block;width:100%;aspect-ratio:auto;height:min(90vh,720px);min-height:320px;container-type:size;--_size:48px;
--_tile:color-mix(in srgb,var(--_fg) 9%,var(--_bg));--_line:color-mix(in srgb,var(--_fg) 18%,transparent);--_say:var(--srs-speaking,#39c46d)}
:host([scene]){background:none;min-height:0}
.room{position:absolute;inset:0;display:grid;grid-template:auto minmax(0,1fr) auto/minmax(0,1fr) auto}
.top{grid-column:1/-1;display:flex;align-items:center;gap:12px;padding:8px 14px 0;min-height:40px}
.top h2{margin:0;font-size:16px;font-weight:600;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.top .badge{display:inline-flex;align-items:center;gap:6px;font-variant-numeric:tabular-nums;letter-spacing:0;text-transform:none;white-space:nowrap}
.top .watching{display:inline-flex;align-items:center;gap:5px;font-size:13px;opacity:.8;white-space:nowrap}
.top svg{width:18px;height:18px}
.middle{grid-row:2;grid-column:1;position:relative;min-width:0;min-height:0}
.tiles{display:flex;flex-direction:column;gap:8px;padding:8px;position:absolute;inset:0}
.main{flex:1;min-height:0;min-width:0;display:grid;gap:8px;grid-template:repeat(var(--rows,1),minmax(0,1fr))/repeat(calc(2*var(--columns,1)),minmax(0,1fr))}
.main .tile{grid-column-end:span 2}
.strip{display:flex;justify-content:safe center;gap:8px;overflow:auto;height:22%;min-height:90px;max-height:170px;flex:none;scrollbar-width:thin;padding:3px;margin:-3px}
.strip .tile{height:100%;width:auto;aspect-ratio:16/9;flex:none}
.tile{position:relative;overflow:hidden;border-radius:12px;background:hsl(var(--hue) 24% 30%);color:#f4f6fb;min-width:0;min-height:0;
outline:3px solid transparent;outline-offset:-1px;transition:outline-color .15s}
.tile.speaks{outline-color:var(--_say)}
.tile video{object-fit:cover;opacity:0}
.tile.screen video{object-fit:contain}
.tile:is(.screen,.seen.square){background:#10141d}
.square:not(.screen) video{margin:auto;width:auto;aspect-ratio:1;background:none}
.square.upright:not(.screen) video{width:100%;height:auto}
.tile.seen video{opacity:1}
.mirror video{transform:scaleX(-1)}
.letter{position:absolute;top:50%;left:50%;translate:-50% -50%;width:min(35cqh,84px);aspect-ratio:1;border-radius:50%;display:grid;place-items:center;
background:hsl(var(--hue) 42% 42%);font-size:min(16cqh,36px);font-weight:600}
.strip .letter,[data-many] .letter{width:56px;font-size:24px}
.tile.seen .letter{display:none}
.label{position:absolute;left:8px;bottom:8px;max-width:calc(100% - 16px);display:flex;align-items:center;gap:6px;padding:3px 10px;border-radius:99px;background:#0b0e14cc;
font-size:13px;line-height:1.5}
.label .who{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.sign{display:inline-flex;flex:none}
.sign svg{width:16px;height:16px}
.label .sign:first-child svg{fill:#ff8a97}
.weak svg{fill:#ffc14d}
.weak.bad svg{fill:#ff8a97}
.rate{font-size:11px;opacity:.85;font-variant-numeric:tabular-nums;white-space:nowrap}
.label .rate:empty,.strip .label .rate{display:none}
.narrow .label .rate{display:none}
.tile>.hand{position:absolute;top:8px;right:8px;padding:6px;border-radius:50%;background:#ffc14d;color:#10141d}
.tile>.hand svg{width:20px;height:20px}
.away:not(:empty){position:absolute;inset:0;display:grid;place-items:center;background:#0b0e14b8;font-size:14px;text-align:center;padding:8px}
.bar{position:static;grid-row:3;grid-column:1/-1;display:flex;flex-wrap:nowrap;justify-content:center;align-items:center;gap:8px;padding:4px 12px 12px;transition:none}
.bar button{background:var(--_tile);border-radius:50%;width:var(--_size);position:relative;flex:none}
.bar button:hover{background:color-mix(in srgb,var(--_fg) 20%,var(--_bg))}
.bar button.off{background:#c4203a;color:#fff}
.bar button[aria-pressed=true],.bar button[aria-expanded=true]{background:var(--_accent);color:var(--srs-on-accent,#06121f)}
.bar .leave,.bar .leave:hover{background:#c4203a;color:#fff;border-radius:99px;width:64px}
.gap{flex:0 0 12px}
.count{position:absolute;top:-3px;right:-3px;min-width:20px;padding:0 5px;border-radius:99px;background:var(--_bg);color:var(--_fg);border:1px solid var(--_line);font-size:11px;line-height:18px;font-weight:600}
.unread{background:var(--_live);color:#fff;border-color:transparent}
.panel{position:relative;width:min(340px,86cqw);grid-row:2;grid-column:2;margin:8px 8px 8px 0;border-radius:12px;border:1px solid var(--_line);background:color-mix(in srgb,var(--_fg) 4%,var(--_bg));
display:flex;flex-direction:column;min-height:0;color:inherit;right:auto;bottom:auto;padding:0;max-height:none;box-shadow:none;font-size:14px;overflow:hidden}
.panel>header{display:flex;align-items:center;justify-content:space-between;padding:4px 4px 4px 14px;flex:none}
.panel h3{margin:0;font-size:15px}
.body{overflow:auto;padding:0 14px 14px;display:flex;flex-direction:column;gap:12px;flex:1;min-height:0}
.panel:has(>srs-chat)>header{position:absolute;right:3px;top:3px;z-index:1;padding:0}
.panel:has(>srs-chat) h3{display:none}
.panel>srs-chat::part(head){padding-right:56px}
.panel>srs-chat{flex:1;min-height:0;width:100%;height:auto}
form{flex-direction:column;align-items:stretch;gap:10px;flex-wrap:nowrap}
select,input[type=text],input[type=password]{font:inherit;color:inherit;width:100%;min-height:48px;height:auto;margin:0;padding:8px 12px;border-radius:10px;cursor:auto;display:block;
border:1px solid color-mix(in srgb,var(--_fg) 45%,transparent);background:var(--_bg);min-width:0}
input[type=checkbox]{display:block;width:20px;height:20px;margin:0;flex:none}
.primary,.open,.panel form button,.row button{background:var(--_accent);color:var(--srs-on-accent,#06121f);font-weight:600;padding:0 18px;border-radius:10px;min-height:48px}
.row{display:flex;gap:8px}.row .primary{flex:1}
.row button:not(.primary){background:var(--_tile);color:inherit}
button:disabled{opacity:.5;cursor:default}
.hint{margin:0;font-size:13px;opacity:.8}
.notices{position:absolute;z-index:2;left:0;right:0;top:12px;display:flex;flex-direction:column;align-items:center;gap:8px;pointer-events:none;padding:0 12px}
.notice{pointer-events:auto;display:flex;align-items:center;flex-wrap:wrap;gap:4px 10px;max-width:min(600px,100%);padding:6px 8px 6px 16px;border-radius:14px;background:#10141df2;color:#f4f6fb;box-shadow:0 4px 20px #0006}
.notice p{margin:6px 8px 6px 0;flex:1 1 200px}
.notice button:not(.primary){min-width:48px;height:48px}
.cover{position:absolute;inset:0;display:grid;place-items:center;overflow:auto;padding:16px}
.card{display:grid;grid-template-columns:minmax(0,1.25fr) minmax(240px,1fr);gap:24px;align-items:center;width:min(860px,100%)}
.card:has(>.preview[hidden]){grid-template-columns:minmax(0,1fr);width:min(380px,100%)}
.card form{display:flex;gap:12px}
.card h2{margin:0;font-size:22px;overflow-wrap:anywhere}
.card form p{margin:0}
.card label{display:flex;flex-direction:column;align-items:stretch;gap:4px;font-size:13px}
.card label input,.card label select{font-size:16px}
.devices{display:flex;flex-direction:column;gap:10px}
.preview{position:relative;aspect-ratio:16/9;border-radius:16px;overflow:hidden;background:#151b28;color:#f4f6fb;display:grid;place-items:center}
.preview video{object-fit:cover;opacity:0}
.preview.seen video{opacity:1}
.preview .dark{margin:0;opacity:.8}
.preview .open{position:relative;margin:0 16px 40px}
.toggles{position:absolute;bottom:12px;left:0;right:0;display:flex;justify-content:center;gap:12px}
.toggles button{background:#0b0e14cc;border-radius:50%;width:48px}
.toggles button.off{background:#c4203a;color:#fff}
[data-state=joined] .cover,[data-state=reconnecting] .cover{display:none}
.room:not([data-state=joined],[data-state=reconnecting]) :is(.tiles,.bar,.panel){display:none}
:host([scene]) :is(.top,.bar,.panel,.cover,.notices,.hand,.away,.rate,.weak){display:none!important}
:host([scene]) .tiles{padding:0}
:host([scene]:not([names])) .label{display:none}
:host([scene]) .label{font-size:clamp(14px,3cqh,28px)}
@container (max-width:700px){
.card{grid-template-columns:minmax(0,1fr);gap:16px;width:min(420px,100%)}
.cover{align-items:start;padding:12px}
.tiles{padding:6px;gap:6px}.main{gap:6px}
.bar{gap:6px;padding:4px 8px max(8px,env(safe-area-inset-bottom))}
.bar .invite,.bar .layout,.bar .gap,.bar .share,.bar .live{display:none}
.bar .leave{width:52px}
.panel{position:absolute;z-index:3;inset:auto 0 0 0;width:auto;height:min(70%,560px);margin:0;border-radius:16px 16px 0 0;grid-row:auto;grid-column:auto;background:var(--_bg);box-shadow:0 -8px 30px #0008}
.label{left:6px;bottom:6px;font-size:12px;padding:2px 8px}.label .rate{display:none}
.strip{height:16%}
}
@container (max-height:420px){.top{min-height:28px;padding-top:4px}.bar{padding-bottom:6px}.strip{min-height:64px}}
@media (prefers-reduced-motion:reduce){.tile{transition:none}}
@media (forced-colors:active){.tile,.bar button,.panel,.notice{border:1px solid}.tile.speaks{outline-color:Highlight}}
`;
