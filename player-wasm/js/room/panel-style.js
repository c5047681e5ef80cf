// The style of the panels, which come with it.

export const PANEL_CSS = `
.panel label{display:flex;flex-direction:column;gap:4px}
.panel label:has([type=checkbox]){flex-direction:row-reverse;justify-content:flex-end;align-items:center;gap:10px;min-height:48px}
fieldset{border:1px solid var(--_line);border-radius:10px;padding:10px 12px 12px;margin:0;display:flex;flex-direction:column;gap:10px;min-width:0}
legend{padding:0 6px;font-weight:600}
input[type=range]{width:100%;display:block;margin:0}
.panel form .end{background:#c4203a;color:#fff}
.made{margin:0;display:grid;gap:2px}.made dd{margin:0 0 6px;overflow-wrap:anywhere}.made code{font-size:12px;user-select:all}
.qr{align-self:center;width:min(220px,100%)}
.qr svg{width:100%;height:auto;border-radius:8px;display:block}
.people{list-style:none;margin:0;padding:0;display:flex;flex-direction:column;gap:2px}
.people li{display:flex;align-items:center;gap:8px;min-height:52px;position:relative;flex-wrap:wrap}
.people .who{flex:1;min-width:0;display:flex;flex-wrap:wrap;gap:0 8px}
.people b{width:100%;font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.people small{opacity:.8}
details,details::details-content{display:contents}
summary{list-style:none;cursor:pointer;width:48px;height:48px;display:grid;place-items:center;border-radius:8px;font-size:20px;order:1}
summary::-webkit-details-marker{display:none}
summary:hover{background:var(--_tile)}
.menu{order:2;width:100%;display:flex;flex-direction:column;gap:4px;padding:8px;border-radius:10px;background:var(--_tile);margin-bottom:6px}
details:not([open]) .menu{display:none}
.menu button{justify-content:flex-start;padding:0 12px;min-height:48px;text-align:left}
.menu button:hover{background:color-mix(in srgb,var(--_fg) 12%,transparent)}
.menu label{padding:4px 12px}
`;
