"""How far a few clicks bring a wrong mask: Dice after 0, 1, 2 and 3 clicks, leaks, and the time of each tool.

    python Testing/benchmarks/clicks.py --data FOLDER --patients 200 --kept FOLDER -o clicks.jsonl

--data: the folder with ct_ich_v1_normal (heads of the synthetic patients) and ct_ich_v1_bleeds (real slices).
--kept: where the synthetic patients are kept once they are made. --network N: N of them start from the model's mask.
-o: one line a mask; a second call goes on, and does again what was measured with other tools or in another way.

A true mask is damaged in one of five ways (clicks_cases.py); then clicks are made as a reader would: at the deepest
point of the largest error that a tool can mend, with the tool for its kind. No click is undone, even where it leaks;
after a click that was refused the next one is made elsewhere in the bleed.
"""

import argparse
import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from clicks_cases import Case, real_cases, synthetic_cases  # noqa: E402

from ICHVolumeLib import correction  # noqa: E402
from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.correction import grow, relabel, remove_component, repair_slice  # noqa: E402
from ICHVolumeLib.correction.component_tools import component_at  # noqa: E402
from ICHVolumeLib.imaging.boxes import bounding_box  # noqa: E402
from ICHVolumeLib.imaging.components import connected_components  # noqa: E402
from ICHVolumeLib.imaging.disks import depth_px  # noqa: E402
from ICHVolumeLib.imaging.itk_threads import use_one_itk_thread  # noqa: E402

CLICKS = 3
MISSED, EXTRA, OTHER_LABEL = 1, 2, 3
LEAST_SHARE = 0.03  # of the true volume: a smaller error is not clicked at
LEAST_DEPTH_MM = 1.0  # nor the rim of an outline
FALSE_SHARE = 0.2  # of a component that is true: under it, the component is removed
LEAK_SHARE = 0.2
REFUSED_MM = 5.0  # from a click that was refused to the next one in its slice
SYNTHETIC, REAL = "Synthetic patients", "Real slices"


@dataclass
class Run:
    """One case: label-aware Dice and Dice of all blood after 0..CLICKS clicks; of each click its tool, whether it
    leaked, whether it was refused, and where it was (slice, row, column)."""

    of: str
    name: str
    damage: str
    code: str
    dice: list[float] = field(default_factory=list)
    blood: list[float] = field(default_factory=list)
    clicks: list[tuple[str, bool, bool, tuple[int, int, int]]] = field(default_factory=list)


def play(case: Case, of: str = SYNTHETIC, code: str = "") -> Run:
    run, mask, refused = Run(of, case.name, case.damage, code), case.start.copy(), set()
    for number in range(CLICKS + 1):
        run.dice.append(label_dice(mask, case))
        run.blood.append(label_dice(mask > 0, case, case.truth > 0))
        step = next_click(case, mask, refused) if number < CLICKS else None
        if step is None:
            continue
        tool, click, error = step
        try:
            edit = TOOLS[tool](case, mask, click)
        except InputError:
            run.clicks.append((tool, False, True, click))
            refused.add(click)
            continue
        after = edit.apply(mask)
        added = (after > 0) & (mask == 0) & (case.truth == 0) & case.counted
        leaked = tool in ("grow", "repair") and bool(added.sum() > LEAK_SHARE * error)
        run.clicks.append((tool, leaked, False, click))
        mask = after
    return run


TOOLS = {
    "grow": lambda case, mask, click: grow(case.ct, mask, click),
    "repair": lambda case, mask, click: repair_slice(case.ct, mask, click),
    "remove": lambda case, mask, click: remove_component(case.ct, mask, click),
    "relabel": lambda case, mask, click: relabel(case.ct, mask, click, int(case.truth[click])),
}


def label_dice(mask, case: Case, truth=None) -> float:
    """2 x voxels with the right label / (marked + true voxels), where the truth is known."""
    truth = case.truth if truth is None else truth
    mask = np.where(case.counted, mask, 0)
    total = np.count_nonzero(mask) + np.count_nonzero(truth)
    return 2 * np.count_nonzero((mask == truth) & (truth > 0)) / total if total else 1.0


def next_click(case: Case, mask, refused=frozenset()):
    """(tool, click, voxels of the error) for the largest error that a tool can mend, or None.

    refused: clicks that nobody makes again; the next one is some way off.
    """
    truth = case.truth
    kinds = np.where((truth > 0) & (mask == 0), MISSED, 0) + np.where((mask > 0) & (truth == 0), EXTRA, 0)
    kinds = np.where((mask > 0) & (truth > 0) & (mask != truth), OTHER_LABEL, kinds) * case.counted
    box = bounding_box(kinds > 0, (0, 1, 1))
    if box is None:
        return None
    kinds = kinds[box]
    found = []
    for kind in (MISSED, EXTRA, OTHER_LABEL):
        parts, count = connected_components(kinds == kind, fully_connected=False)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        found += [(int(size), kind, number, parts) for number, size in enumerate(sizes) if number]
    away_px = round(REFUSED_MM / min(case.ct.pixel_spacing_mm))
    least = LEAST_SHARE * np.count_nonzero(truth)
    for size, kind, number, parts in sorted(found, key=lambda one: -one[0]):
        if size < least:
            return None
        depth = depth_px(parts == number)
        for k, j, i in refused:
            near = tuple(slice(max(one - reach - part.start, 0), max(one + reach + 1 - part.start, 0))
                         for one, part, reach in zip((k, j, i), box, (0, away_px, away_px), strict=True))
            depth[near] = 0
        at = np.unravel_index(int(np.argmax(depth)), depth.shape)
        if depth[at] * min(case.ct.pixel_spacing_mm) < LEAST_DEPTH_MM:
            continue
        click = tuple(int(one + part.start) for one, part in zip(at, box, strict=True))
        tool = tool_for(case, mask, kind, click)
        if tool:
            return tool, click, size
    return None


def tool_for(case: Case, mask, kind: int, click) -> str | None:
    k, j, i = click
    between = 0 < k < len(mask) - 1 and mask[k - 1, j, i] and mask[k + 1, j, i]
    if kind == OTHER_LABEL:
        return "relabel"
    if kind == MISSED:
        return "repair" if between else "grow"
    component, box = component_at(case.ct, mask, click)
    if (case.truth[box][component] > 0).mean() < FALSE_SHARE:
        return "remove"
    true_above = 0 < k < len(mask) - 1 and not (mask[k - 1, j, i] and mask[k + 1, j, i])
    return "repair" if true_above and mask[k - 1].any() and mask[k + 1].any() else None


def table(title: str, runs: list[Run]) -> str:
    lines = [f"### {title}: {len(runs)} masks of {len({run.name.split('_')[0] for run in runs})} patients", "",
             "| start | masks | clicks | median Dice | lowest | under .80 | median Dice, all blood |",
             "|---|---|---|---|---|---|---|"]
    damages = sorted({run.damage for run in runs})
    for damage in [*damages, "all"]:
        chosen = [run for run in runs if damage in ("all", run.damage)]
        for number in range(CLICKS + 1):
            dice, blood = (np.array([getattr(run, name)[number] for run in chosen]) for name in ("dice", "blood"))
            lines.append(f"| {damage} | {len(chosen)} | {number} | {np.median(dice):.3f} | {dice.min():.2f} | "
                         f"{(dice < 0.8).sum()} | {np.median(blood):.3f} |")
    lines += ["", "| tool | clicks | leaked | refused |", "|---|---|---|---|"]
    clicks = [click for run in runs for click in run.clicks]
    for tool in [*TOOLS, "all"]:
        chosen = [click for click in clicks if tool in ("all", click[0])]
        if chosen:
            leaked, refused = (sum(click[at] for click in chosen) for at in (1, 2))
            lines.append(f"| {tool} | {len(chosen)} | {leaked} ({100 * leaked / len(chosen):.1f} %) | {refused} |")
    return "\n".join(lines) + "\n\n"


def code_mark() -> str:
    """What a row depends on beside its patient: the tools and this benchmark."""
    files = sorted(Path(correction.__file__).parent.glob("*.py")) + sorted(Path(__file__).parent.glob("clicks*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def known_runs(file: Path | None, code: str) -> list[Run]:
    if file is None or not file.is_file():
        return []
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return [Run(**row) for row in rows if row["code"] == code]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("ICHVOLUME_DATA"))
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--part", default="test", help="calibration: patients to develop with")
    parser.add_argument("--kept", type=Path, help="folder that keeps the made patients")
    parser.add_argument("--network", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, help="file of rows, one a mask")
    args = parser.parse_args()
    if not args.data:
        parser.error("give --data, or set ICHVOLUME_DATA")
    use_one_itk_thread()
    data, code = Path(args.data), code_mark()
    runs = known_runs(args.out, code)
    known = {(run.of, run.name, run.damage) for run in runs}
    for of, cases in ((SYNTHETIC, synthetic_cases(data, args.part, args.patients, args.kept, args.network)),
                      (REAL, real_cases(data / "ct_ich_v1_bleeds"))):
        for case in cases:
            if (of, case.name, case.damage) in known:
                continue
            runs.append(play(case, of, code))
            if args.out:
                with args.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(runs[-1])) + "\n")
            sys.stderr.write(f"{case.name} {case.damage}: {' '.join(f'{one:.3f}' for one in runs[-1].dice)} "
                             f"{runs[-1].clicks}\n")
        chosen = [run for run in runs if run.of == of]
        if chosen:
            sys.stdout.write(table(of, chosen))


if __name__ == "__main__":
    main()
