// The mixer's style, in addition to the common one.

export const MIXER_CSS = `
.start{position:absolute;left:50%;top:50%;transform:translate(-50%,-50%);height:52px;padding:0 28px;border-radius:99px;
background:color-mix(in srgb,var(--_live) 88%,#000);color:#fff;font-size:17px;font-weight:600;white-space:nowrap;box-shadow:0 4px 24px #0006}
.bar .stop{padding:0 14px;background:#fff;color:#10141d;font-weight:600;height:calc(var(--_size) - 6px);margin-right:8px}
.bar .stop:hover{background:#e3e6ee}
.bar p,.problem{margin:0;overflow-wrap:anywhere}
.problem{position:absolute;left:16px;right:16px;top:16px;padding:8px 14px;border:2px solid var(--srs-error,#e5263f);border-radius:12px;text-align:center}
.seen .problem{background:#0b0e14d9;color:#f4f6fb}
`;
