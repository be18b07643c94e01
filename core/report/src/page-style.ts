/** Light, with the fonts of the machine, for A4 paper and for screens. */
export const PAGE_STYLE = `
@page { size: A4; margin: 16mm 14mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 210mm; color: #1b1f24; background: #fff; line-height: 1.45;
  font: 13px/1.45 system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; }
h1 { font-size: 22px; margin: 0 0 2px; }
h2 { font-size: 14px; margin: 22px 0 6px; padding-bottom: 3px; border-bottom: 1px solid #c9d1d9; break-after: avoid; }
.sub { color: #57606a; margin: 0 0 14px; }
.result { display: inline-block; padding: 3px 10px; border: 1px solid; border-radius: 4px; font-weight: 600; }
.good { color: #116329; } .bad { color: #a40e26; } .care { color: #7d4e00; } .plain { color: #57606a; }
table { width: 100%; border-collapse: collapse; table-layout: auto; }
th, td { text-align: left; vertical-align: top; padding: 4px 8px 4px 0; border-bottom: 1px solid #eaeef2; overflow-wrap: break-word; }
th { color: #57606a; font-weight: 500; white-space: nowrap; }
td .good, td .bad, td .care { white-space: nowrap; }
tr { break-inside: avoid; }
.facts th { width: 32mm; }
.id { overflow-wrap: anywhere; font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: 11px; }
.num { white-space: nowrap; }
.keep { white-space: pre-wrap; overflow-wrap: anywhere; }
.sign { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 12mm; margin-top: 18mm; break-inside: avoid; }
.sign div { border-top: 1px solid #1b1f24; padding-top: 3px; color: #57606a; }
footer { margin-top: 12mm; color: #57606a; font-size: 11px; overflow-wrap: anywhere; }
@media print { body { padding: 0; max-width: none; } }
`;
