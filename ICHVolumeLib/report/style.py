"""The report's style sheet: system fonts, one accent, dark only where pictures are; A4 when printed."""

CSS = """
:root { --ink: #17212b; --soft: #55636f; --faint: #8a97a3; --line: #dfe5ea; --tint: #f4f7f9; --paper: #fff;
  --accent: #12556b; --ich: #c9302c; --ivh: #d98200; --outside: #548ced; --a: #39c5d8; --b: #ffe066; --warn: #9a5b00;
  --warn-tint: #fff6e5; --bad: #a3201d; --bad-tint: #fdeceb; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: #e9eef2; color: var(--ink); font: 15px/1.5 -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, "Liberation Sans", system-ui, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1040px; margin: 24px auto; background: var(--paper); border-radius: 14px; overflow: hidden;
  box-shadow: 0 1px 2px rgba(20,40,60,.08), 0 12px 40px rgba(20,40,60,.10); }
.notice { background: var(--ink); color: #fff; font-size: 13px; padding: 9px 40px; letter-spacing: .01em; }
.notice strong { font-weight: 650; }
.body { padding: 30px 40px 34px; }
header { display: flex; justify-content: space-between; align-items: flex-end; gap: 24px; margin-bottom: 24px; }
h1 { font-size: 27px; line-height: 1.2; font-weight: 680; letter-spacing: -.015em; margin: 0; }
h1 + p { margin: 6px 0 0; color: var(--soft); }
header > div:first-child { min-width: 0; }
.origin { flex: none; text-align: right; font-size: 12.5px; color: var(--soft); max-width: 46%;
  overflow-wrap: anywhere; }
h2 { font-size: 16.5px; font-weight: 660; margin: 34px 0 12px; letter-spacing: -.005em; }
h2 small { font-weight: 400; font-size: 13px; color: var(--soft); margin-left: 8px; letter-spacing: 0; }

.cards { display: grid; grid-template-columns: 1.12fr 1fr 1.12fr; gap: 14px; }
.card { border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px 15px; background: var(--paper); }
.card.main { background: var(--tint); }
.card h3 { font-size: 12px; font-weight: 600; letter-spacing: .02em; color: var(--soft); margin: 0; }
.card p { margin: 4px 0 0; font-size: 13.5px; line-height: 1.45; color: var(--soft); }
.card p b { color: var(--ink); font-weight: 600; }
.big { font-size: 46px; line-height: 1.1; font-weight: 690; letter-spacing: -.03em; margin: 4px 0 6px; }
.big small { font-size: 20px; font-weight: 500; letter-spacing: 0; color: var(--soft); }
.big.second { font-size: 34px; padding: 9px 0 3px; }
.split { display: flex; height: 7px; border-radius: 4px; overflow: hidden; margin: 8px 0; background: var(--line); }
.split i { display: block; height: 100%; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px; }
.whole { white-space: nowrap; }
.bg-ich { background: var(--ich); }
.bg-ivh { background: var(--ivh); }
.bg-outside { background: var(--outside); }
.pips { display: flex; gap: 4px; margin: 6px 0 8px; }
.pips i { flex: 1; height: 7px; border-radius: 4px; background: var(--line); }
.pips i.sure { background: var(--accent); }
.pips i.open { background: repeating-linear-gradient(115deg, var(--accent) 0 2px, #cfe0e7 2px 5px); }
.on-phone { display: none; }
.ruler { margin: 18px 0 0; }

svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; }
figure { margin: 0; }
figcaption { font-size: 12.5px; line-height: 1.45; color: var(--soft); padding: 7px 2px 0; }
.dark { background: #0c0f13; border-radius: 12px; overflow: hidden; }
.pictures { display: grid; grid-template-columns: 1.08fr 1fr; gap: 14px; }
.pictures figure { display: flex; flex-direction: column; }
.pictures .dark { flex: 1; display: flex; align-items: center; background: #000; position: relative; }
.pictures .views { background: #0c0f13; }
.views .view { position: absolute; left: 0; top: 0; width: 100%; height: 50%; }
.views .view + .view { top: 50%; border-top: 1px solid #232a32; }
.pictures .slice { max-height: 560px; }
.pictures figcaption { min-height: 3.4em; }
.strip { display: grid; grid-template-columns: repeat(var(--columns, 4), 1fr); gap: 8px; }
.strip .dark { border-radius: 8px; }
.strip figcaption { padding-top: 4px; font-size: 12px; }
.strip .largest figcaption { color: var(--ink); font-weight: 600; }
.absent { color: #aeb9c3; font-size: 14px; padding: 36px; text-align: center; width: 100%; }

.slice path { fill: none; vector-effect: non-scaling-stroke; }
.slice .ich { stroke: #ff5a52; stroke-width: 1.5; }
.slice .ivh { stroke: #ffb02e; stroke-width: 1.5; }
.slice .outside { stroke: #6ea2ff; stroke-width: 1.5; }
.slice .axis path { stroke-width: 2.6; }
.slice .axis path:first-child { stroke: rgba(0,0,0,.82); stroke-width: 5.4; stroke-linecap: round; }
.slice .axis.a path + path { stroke: var(--a); }
.slice .axis.b path + path { stroke: var(--b); }
.slice .axis.ideal path + path, .slice .axis.shift path + path { stroke: #ffd84d; }
.slice .axis.ideal path { stroke-width: 1.1; } .slice .axis.ideal path:first-child { stroke-width: 2.6; }
.slice .axis.ideal circle, .slice .axis.ideal text { fill: #ffd84d; }
.slice .axis.shift circle, .slice .axis.shift text { fill: #ffd84d; }
.slice .axis circle { stroke: rgba(0,0,0,.82); stroke-width: .5px; }
.slice .axis.a circle, .slice .axis.a text { fill: var(--a); }
.slice .axis.b circle, .slice .axis.b text { fill: var(--b); }
.dark text { paint-order: stroke; stroke: rgba(0,0,0,.78); stroke-width: 1.4px; stroke-linejoin: round; }
.slice .axis text { font-size: 6.2px; font-weight: 640; }
.dark .edge { fill: #e8eef3; font-size: 6.4px; font-weight: 500; }
.dark .scale { fill: none; stroke: #e8eef3; stroke-width: 1.2; vector-effect: non-scaling-stroke; }
.dark .scale-text { fill: #e8eef3; font-size: 5.6px; font-weight: 500; }
.view .edge { font-size: 9.5px; }
.view .scale-text { font-size: 8px; }

table { width: 100%; border-collapse: collapse; font-size: 13.5px; }
th { text-align: left; font-weight: 600; font-size: 12px; color: var(--soft); padding: 0 10px 6px 0;
  border-bottom: 1px solid #c4ced6; vertical-align: bottom; }
td { padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th.n, td.n { text-align: right; white-space: nowrap; }
td.muted, .muted { color: var(--soft); }
tr.off td { color: var(--faint); }
tbody tr:last-child td { border-bottom: 0; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 14px 38px; }
.two h2 { margin-bottom: 10px; }
.findings { list-style: none; margin: 0; padding: 0; }
.findings li { padding: 9px 14px; border-radius: 9px; background: var(--tint); margin-bottom: 7px; font-size: 14px; }
.findings .tag { font-weight: 650; margin-right: 8px; color: var(--accent); }
.findings .warning { background: var(--warn-tint); }
.findings .warning .tag { color: var(--warn); }
.findings .error { background: var(--bad-tint); }
.findings .error .tag { color: var(--bad); }
header + .findings { margin-bottom: 16px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; font-size: 13px; }
dl > div { display: contents; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.care { margin: 14px 0 0; font-size: 13px; color: var(--soft); }
footer { border-top: 1px solid var(--line); margin-top: 30px; padding-top: 14px; font-size: 12.5px;
  color: var(--soft); }
footer p { margin: 0 0 4px; }

@media screen and (max-width: 760px) {
  main { margin: 0; border-radius: 0; }
  .body, .notice { padding-left: 18px; padding-right: 18px; }
  .cards, .pictures, .two { grid-template-columns: minmax(0, 1fr); }
  .pictures figcaption { min-height: 0; }
  .views { flex-direction: column; }
  .views .view { position: static; height: auto; }
  header { display: block; }
  .origin { text-align: left; max-width: none; margin-top: 10px; }
  h2 small { display: block; margin: 2px 0 0; }
  .strip { --columns: 2 !important; }
  .on-page { display: none; }
  .on-phone { display: block; }
  table, dl { font-size: 13px; }
  .scroll table { font-size: 12px; }
  .scroll td.n, .scroll th.n { white-space: normal; }
  th, td { padding-right: 6px; }
  dl { gap: 4px 12px; }
}

@page { size: A4; margin: 11mm 12mm 15mm; }
@media print {
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { background: #fff; font-size: 11px; }
  main { max-width: none; margin: 0; box-shadow: none; border-radius: 0; overflow: visible; }
  .body { padding: 14px 0 0; }
  .notice { padding: 6px 12px; font-size: 11px; border-radius: 6px; }
  header { margin-bottom: 14px; }
  h1 { font-size: 20px; }
  .origin { max-width: 50%; }
  h2 { font-size: 13px; margin: 13px 0 5px; break-after: avoid; }
  h2 small { font-size: 11px; }
  .big { font-size: 34px; }
  .big.second { font-size: 26px; padding: 6px 0 2px; }
  .card { padding: 10px 13px; }
  .card p, figcaption, .findings li { font-size: 11px; }
  table, dl, .care { font-size: 10.5px; }
  .findings li { padding: 6px 11px; margin-bottom: 4px; }
  .card h3, th, .origin, footer, .strip figcaption { font-size: 10px; }
  td { padding-top: 2.4px; padding-bottom: 2.4px; }
  .two { gap: 4px 30px; }
  .two h2 { margin-bottom: 5px; }
  .care { margin-top: 7px; }
  .made dl { display: block; columns: 2; column-gap: 30px; }
  .made dl > div { display: block; break-inside: avoid; margin-bottom: 2px; }
  .made dt, .made dd { display: inline; margin-right: 8px; }
  .made dt { white-space: nowrap; }
  footer { margin-top: 12px; padding-top: 7px; }
  footer p { margin: 0 0 1px; }
  .pictures .slice { max-height: var(--printed-mm, 88mm); }
  .keep .pictures .slice { max-height: 66mm; }
  .pictures figcaption { min-height: 0; }
  .strip { --columns: var(--printed) !important; gap: 5px; }
  .cards, .pictures, .strip figure, figure, tr, li, .ruler, .keep, dl, footer { break-inside: avoid; }
}
"""
