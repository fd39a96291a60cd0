"""How far a few clicks bring a wrong mask: Dice after 0, 1, 2 and 3 clicks, leaks, and the time of each tool.

    python Testing/benchmarks/clicks.py --data FOLDER --patients 200 --kept FOLDER

--data: the folder with ct_ich_v1_normal (heads of the synthetic patients) and ct_ich_v1_bleeds (real slices).
--kept: where the synthetic patients are kept once they are made. --network N: N of them start from the model's mask.

A true mask is damaged in one of five ways (clicks_damage.py); then clicks are made as a reader would: at the deepest
point of the largest error that a tool can mend, with the tool for its kind. No click is undone, even where it leaks.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from clicks_cases import Case, real_cases, synthetic_cases  # noqa: E402

from ICHVolumeLib.core.errors import InputError  # noqa: E402
from ICHVolumeLib.correction import grow, keep_component, relabel, remove_component, repair_slice  # noqa: E402
from ICHVolumeLib.correction.component_tools import component_at  # noqa: E402
from ICHVolumeLib.imaging.boxes import bounding_box  # noqa: E402
from ICHVolumeLib.imaging.components import connected_components  # noqa: E402
from ICHVolumeLib.imaging.disks import depth_px  # noqa: E402
from ICHVolumeLib.synthetic.patients import use_one_itk_thread  # noqa: E402

CLICKS = 3
MISSED, EXTRA, OTHER_LABEL = 1, 2, 3
LEAST_SHARE = 0.03  # of the true volume: a smaller error is not clicked at
LEAST_DEPTH_MM = 1.0  # nor the rim of an outline
FALSE_SHARE = 0.2  # of a component that is true: under it, the component is removed
LEAK_SHARE = 0.2
SPEED_SLICES = 40


@dataclass
class Run:
    """One case: label-aware Dice and Dice of all blood after 0..CLICKS clicks; of each click its tool, whether it
    leaked, whether it was refused."""

    case: Case
    dice: list[float] = field(default_factory=list)
    blood: list[float] = field(default_factory=list)
    clicks: list[tuple[str, bool, bool]] = field(default_factory=list)


def play(case: Case) -> Run:
    run, mask = Run(case), case.start.copy()
    for number in range(CLICKS + 1):
        run.dice.append(label_dice(mask, case))
        run.blood.append(label_dice(mask > 0, case, case.truth > 0))
        step = next_click(case, mask) if number < CLICKS else None
        if step is None:
            continue
        tool, click, error = step
        try:
            edit = TOOLS[tool](case, mask, click)
        except InputError:
            run.clicks.append((tool, False, True))
            continue
        after = edit.apply(mask)
        added = (after > 0) & (mask == 0) & (case.truth == 0) & case.counted
        run.clicks.append((tool, tool in ("grow", "repair") and added.sum() > LEAK_SHARE * error, False))
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


def next_click(case: Case, mask):
    """(tool, click, voxels of the error) for the largest error that a tool can mend, or None."""
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
    least = LEAST_SHARE * np.count_nonzero(truth)
    for size, kind, number, parts in sorted(found, key=lambda one: -one[0]):
        if size < least:
            return None
        depth = depth_px(parts == number)
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
    lines = [f"### {title}: {len(runs)} masks of {len({run.case.name for run in runs})} patients", "",
             "| start | masks | clicks | median Dice | lowest | under .80 | median Dice, all blood |",
             "|---|---|---|---|---|---|---|"]
    damages = sorted({run.case.damage for run in runs})
    for damage in [*damages, "all"]:
        chosen = [run for run in runs if damage in ("all", run.case.damage)]
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


def speed_table(case: Case, rounds: int = 7) -> str:
    """The fastest of some runs of each tool on a scan of SPEED_SLICES x 512 x 512."""
    from dataclasses import replace

    from ICHVolumeLib.synthetic.patients import as_ct

    order = np.clip(np.arange(SPEED_SLICES) - (SPEED_SLICES - len(case.truth)) // 2, 0, len(case.truth) - 1)
    truth = case.truth[order] * ((order[:, None, None] > 0) & (order[:, None, None] < len(case.truth) - 1))
    big = replace(case, ct=as_ct(case.ct.hu[order], float(case.ct.slice_steps_mm[0])), truth=truth.astype(np.uint8))
    depth = depth_px(truth > 0)
    click = tuple(int(one) for one in np.unravel_index(int(np.argmax(depth)), depth.shape))
    gap = truth.copy()
    gap[click[0]] = 0
    other = 3 - int(truth[click])
    work = {"grow": lambda: grow(big.ct, np.zeros_like(truth), click),
            "remove": lambda: remove_component(big.ct, truth, click),
            "keep": lambda: keep_component(big.ct, truth, click),
            "relabel": lambda: relabel(big.ct, truth, click, other),
            "repair": lambda: repair_slice(big.ct, gap, click)}
    ml = np.count_nonzero(truth) * float(big.ct.voxel_volumes_mm3[0]) / 1000
    lines = [f"Fastest of {rounds} runs, {SPEED_SLICES} x {truth.shape[1]} x {truth.shape[2]}, a bleed of {ml:.0f} mL:",
             "", "| tool | ms |", "|---|---|"]
    for name, action in work.items():
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - start)
        lines.append(f"| {name} | {1000 * min(seconds):.0f} |")
    return "\n".join(lines) + "\n\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("ICHVOLUME_DATA"))
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--part", default="test", help="calibration: patients to develop with")
    parser.add_argument("--kept", type=Path, help="folder that keeps the made patients")
    parser.add_argument("--network", type=int, default=0)
    args = parser.parse_args()
    if not args.data:
        parser.error("give --data, or set ICHVOLUME_DATA")
    use_one_itk_thread()
    largest, runs = None, []
    for case in synthetic_cases(Path(args.data), args.part, args.patients, args.kept, args.network):
        runs.append(play(case))
        volume = np.count_nonzero(case.truth)
        if largest is None or volume > np.count_nonzero(largest.truth):
            largest = case
        sys.stderr.write(f"{case.name} {case.damage}: {' '.join(f'{one:.3f}' for one in runs[-1].dice)} "
                         f"{runs[-1].clicks}\n")
    if runs:
        sys.stdout.write(table("Synthetic patients", runs))
    real = [play(case) for case in real_cases(Path(args.data) / "ct_ich_v1_bleeds")]
    for run in real:
        sys.stderr.write(f"{run.case.name} {run.case.damage}: {' '.join(f'{one:.3f}' for one in run.dice)} "
                         f"{run.clicks}\n")
    if real:
        sys.stdout.write(table("Real slices", real))
    if largest is not None:
        sys.stdout.write(speed_table(largest))


if __name__ == "__main__":
    main()
