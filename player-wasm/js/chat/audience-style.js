// The style of the audience's page, in addition to the common style.

export const AUDIENCE_CSS = `
:host{display:block;width:auto;height:100%;min-height:480px;aspect-ratio:auto;background:none;color:inherit;overflow:visible;container-type:inline-size;
--_accent:var(--srs-accent,#6db3ff);--_on:var(--srs-on-accent,#08131f);--_quiet:#9ba6bf}
@media (prefers-color-scheme:light){:host{--_accent:var(--srs-accent,#0b63ce);--_on:var(--srs-on-accent,#fff);--_quiet:#576078}}
.view{display:grid;grid-template-columns:minmax(0,1fr) minmax(300px,360px);gap:20px;height:100%}
.stage-side{min-width:0;min-height:0;display:flex;flex-direction:column}
.screen{position:relative;min-height:0;max-height:calc(100% - 72px);aspect-ratio:16/9;border-radius:var(--srs-radius,12px);overflow:hidden}
srs-player{display:block;width:100%;height:100%;border-radius:0}
.nobody{position:absolute;inset:0;display:grid;place-items:center;margin:0;padding:16px;text-align:center;font-size:16px;
background:linear-gradient(140deg,#26324a,#131926);color:#eef1f8}
srs-chat{height:100%;min-height:0}
.about{display:flex;flex-wrap:wrap;align-items:center;gap:6px 12px;padding:12px 2px 0}
h1{font-size:19px;line-height:1.3;margin:0;overflow-wrap:anywhere}
.who{margin:2px 0 0;color:var(--_quiet);overflow-wrap:anywhere}
.on-air{padding:2px 10px;border-radius:99px;background:#c8172f;color:#fff;font-size:12px;font-weight:600}
.gap{flex:1}
.flying{padding:0 14px 0 10px;border:1px solid color-mix(in srgb,currentColor 35%,transparent);font-size:13px}
.flying[aria-pressed=true]{background:color-mix(in srgb,var(--_accent) 22%,transparent);border-color:var(--_accent)}
.flying svg{width:20px;height:20px}
@container (max-width:719px){
.view{grid-template-columns:minmax(0,1fr);grid-template-rows:auto minmax(0,1fr);gap:10px}
.screen{border-radius:0;max-height:none}
.about{padding:8px 12px 0}
h1{font-size:16px}
srs-chat{border-radius:0}
}
`;
