"""What the list of a cohort has beside the report's style sheet: its own styles, and the script that sorts it."""

COHORT_CSS = """
.cohort main { max-width: 1280px; overflow: visible; }
.cohort .notice { border-radius: 14px 14px 0 0; }
.cohort header { margin-bottom: 18px; }
.cohort footer a, .cohort td a { color: var(--accent); }
.cohort .findings { margin-bottom: 12px; }
.histogram { border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px 8px; }
.histogram .bar { fill: #9db9c6; }
.histogram .bar.large { fill: var(--accent); }
.histogram .none { fill: #d5dde3; }
.histogram text { font-size: 11px; fill: var(--soft); }
.histogram .count { font-size: 11px; fill: var(--ink); font-weight: 600; }
.histogram line { stroke: #c4ced6; }

.problems { background: var(--warn-tint); border-radius: 9px; padding: 9px 14px; font-size: 14px; }
.problems summary { cursor: pointer; }
.problems summary small { color: var(--soft); margin-left: 6px; }
.problems .tag { font-weight: 650; margin-right: 8px; color: var(--warn); }
.problems table { margin-top: 8px; }
.problems td { border-color: #f0dfbf; overflow-wrap: anywhere; }
.problems td:first-child { white-space: nowrap; font-weight: 600; padding-right: 18px; }

.tools { display: flex; flex-wrap: wrap; gap: 10px 22px; align-items: center; margin: 26px 0 10px; font-size: 13px;
  color: var(--soft); }
.tools input[type=search], .tools select { font: inherit; color: var(--ink); background: #fff; padding: 6px 10px;
  border: 1px solid #c4ced6; border-radius: 8px; margin-left: 6px; max-width: 260px; }
.tools .box { display: flex; align-items: center; gap: 6px; }
.tools input[type=checkbox] { accent-color: var(--accent); width: 15px; height: 15px; margin: 0; }
#shown { margin-left: auto; }

/* each row is a grid of its own, laid out only where it is seen: a thousand of them stay smooth */
#cases, #cases thead, #cases tbody { display: block; }
#cases { font-size: 14px; --columns: 78px minmax(120px, 1fr) 118px 84px 84px 92px 92px 300px; }
#cases tr { display: grid; grid-template-columns: var(--columns); column-gap: 16px; align-items: center;
  border-bottom: 1px solid var(--line); }
#cases tr[hidden] { display: none; }
#cases tbody tr { content-visibility: auto; contain-intrinsic-size: auto 88px; height: 88px; }
#cases th, #cases td { border: 0; padding: 0; min-width: 0; vertical-align: middle; }
#cases thead { position: sticky; top: 0; z-index: 1; background: var(--paper); }
#cases thead tr { height: 40px; border-color: #c4ced6; }
#cases th button { all: unset; cursor: pointer; color: var(--soft); font-weight: 600; white-space: nowrap; }
#cases th button i { font-style: normal; font-weight: 400; margin-left: 4px; }
#cases th button:hover { color: var(--ink); }
#cases th button:focus-visible, .tools :focus-visible, #cases a:focus-visible { outline: 2px solid var(--accent);
  outline-offset: 2px; border-radius: 4px; }
#cases th[aria-sort] button { color: var(--accent); }
#cases th button::after { content: ""; display: inline-block; width: 1em; text-align: right; }
#cases th[aria-sort=ascending] button::after { content: "\\25B4"; }
#cases th[aria-sort=descending] button::after { content: "\\25BE"; }
#cases td.n { padding-right: 1em; }
#cases td small { display: block; font-size: 11.5px; color: var(--soft); line-height: 1.35; }
#cases td b { font-weight: 660; font-size: 15px; }
#cases tbody tr:hover { background: var(--tint); }
#cases .pic img { display: block; width: 76px; height: 80px; object-fit: contain; background: #0c0f13;
  border-radius: 7px; }
#cases .who { overflow-wrap: anywhere; }
#cases .who a { text-decoration: none; font-weight: 600; }
#cases .who a:hover { text-decoration: underline; }
#cases .none { color: var(--faint); }
.chip { display: inline-block; font-size: 12px; line-height: 1.3; padding: 2px 8px; border-radius: 10px;
  margin: 2px 5px 2px 0; background: var(--warn-tint); color: var(--warn); max-width: 100%; }
.chip.error { background: var(--bad-tint); color: var(--bad); }
.chip.more { background: var(--tint); color: var(--soft); }

@media screen and (max-width: 1080px) {
  #cases { --columns: 78px minmax(100px, 1fr) 112px 70px 92px 190px; }
  #cases tr > :nth-child(5), #cases tr > :nth-child(6) { display: none; }
}
@media screen and (max-width: 700px) {
  #cases { --columns: 78px minmax(90px, 1fr) 112px; }
  #cases tr > :nth-child(4), #cases tr > :nth-child(7), #cases tr > :nth-child(8) { display: none; }
  .histogram { overflow-x: auto; }
  .histogram svg { min-width: 940px; }
  #shown { margin-left: 0; }
}
@media print {
  .tools, #cases th button::after { display: none; }
  #cases tbody tr { content-visibility: visible; break-inside: avoid; }
}
"""

# Rows are read once; a sort or a search then touches the table once, by one fragment or by `hidden` alone.
COHORT_SCRIPT = """
(() => {
  const body = document.querySelector("#cases tbody"), heads = [...document.querySelectorAll("#cases th button")];
  const rows = [...body.rows].map(row => ({row, data: {...row.dataset}}));
  const find = document.getElementById("find"), finding = document.getElementById("finding"),
    bleeds = document.getElementById("bleeds"), shown = document.getElementById("shown");
  const value = (one, key) => key in one.data ? Number(one.data[key]) : -1;
  let key = "patient", down = false;

  function sort(by) {
    down = by === key ? !down : by !== "patient";
    key = by;
    rows.sort((one, other) => (down ? -1 : 1) * (value(one, key) - value(other, key))
      || value(one, "patient") - value(other, "patient"));
    const fragment = document.createDocumentFragment();
    for (const {row} of rows) fragment.append(row);
    body.append(fragment);
    for (const head of heads) {
      if (head.dataset.key === key) head.parentNode.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.parentNode.removeAttribute("aria-sort");
    }
  }

  function filter() {
    const words = find.value.trim().toLowerCase(), code = finding.value;
    let count = 0;
    for (const {row, data} of rows) {
      const wanted = data.name.includes(words) && (!code || data.codes.includes(" " + code + " "))
        && (!bleeds.checked || data.found === "1");
      if (row.hidden === wanted) row.hidden = !wanted;
      count += wanted;
    }
    shown.textContent = count.toLocaleString("en") + " shown";
  }

  for (const head of heads) head.addEventListener("click", () => sort(head.dataset.key));
  find.addEventListener("input", filter);
  finding.addEventListener("change", filter);
  bleeds.addEventListener("change", filter);
  filter();
})();
"""
