"""How often the suggested side and site are right: bleeds at known places in known heads.

    python Testing/benchmarks/site_accuracy.py --data SHARED_DATA --atlas /usr/share/mricron/templates --heads 40

Heads are the CT template with other sizes, turned, tilted, uneven, cut, opened and bent (Testing/atlas_heads.py).
The truth is two atlases that the region map was not drawn from and that are not shipped: AAL and JHU white matter, as
Debian's package mricron-data installs them. A bleed begins in a voxel of a structure, grows as a lumpy ball, and stays
on its side of the tentorium and, where lobar or cerebellar, of the midline, as bleeds do.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path[:0] = [str(folder) for folder in Path(__file__).resolve().parents[1:3]]

from atlas_heads import LOWEST_MM, bleed_at, random_pose, scan_of  # noqa: E402

from ICHVolumeLib.anatomy.head_frame import fit_head_frame  # noqa: E402
from ICHVolumeLib.anatomy.site import suggest_site  # noqa: E402

AAL, JHU = "aal.nii.gz", "JHU-WhiteMatter-labels-1mm.nii.gz"
NOT_LOBAR = (21, 22, 29, 30)  # olfactory cortex and insula: between lobar and deep by definition
# site, structure: (atlas, labels, share of the bleeds, smallest and largest mL)
PLACES = {
    ("lobar", ""): (AAL, [n for n in range(1, 71) if n not in NOT_LOBAR] + list(range(79, 91)), 0.35, (2, 80)),
    ("deep", "putamen"): (AAL, [73, 74, 75, 76], 0.17, (2, 70)),
    ("deep", "thalamus"): (AAL, [77, 78], 0.13, (1, 30)),
    ("deep", "caudate"): (AAL, [71, 72], 0.04, (1, 20)),
    ("deep", "capsule"): (JHU, [17, 18, 19, 20], 0.06, (2, 50)),
    ("brain stem", ""): (JHU, [2, 7, 8, 9, 10, 15, 16], 0.10, (0.5, 8)),
    ("cerebellum", ""): (AAL, list(range(91, 117)), 0.15, (1, 35)),
}
MIDLINE_MM = 6.0  # a bleed that begins nearer to the midline has no side to be right about


@dataclass(frozen=True, eq=False)
class Truth:
    """labels: atlas -> uint (x, y, z) of 1 mm voxels from LOWEST_MM on; below: bool, nearest to the cerebellum or brain
    stem."""

    labels: dict
    below: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> "Truth":
        import SimpleITK as sitk

        like = sitk.Image(181, 217, 181, sitk.sitkFloat32)
        like.SetOrigin((90.0, 126.0, -72.0))
        like.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
        labels = {name: sitk.GetArrayFromImage(sitk.Resample(
            sitk.ReadImage(str(folder / name)), like, sitk.Transform(), sitk.sitkNearestNeighbor, 0)).T
            for name in (AAL, JHU)}
        below = (labels[AAL] >= 91) | np.isin(labels[JHU], PLACES["brain stem", ""][1])
        above = (labels[AAL] > 0) & (labels[AAL] < 91)
        far = [sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(sitk.GetImageFromArray(one.astype(np.uint8)), False,
                                                                   False)) for one in (below, above)]
        return cls(labels, far[0] < far[1])

    def origin(self, rng, atlas, numbers):
        """mm of a voxel with one of the labels, drawn evenly."""
        labels, chosen = self.labels[atlas], np.zeros(256, bool)
        chosen[numbers] = True
        while True:
            voxels = rng.integers(labels.shape, size=(4000, 3))
            inside = np.flatnonzero(chosen[labels[tuple(voxels.T)]])
            if len(inside):
                return voxels[inside[0]] + LOWEST_MM

    def at(self, mm):
        at = np.clip(np.round(mm - LOWEST_MM).astype(int), 0, np.array(self.below.shape) - 1)
        return self.below[tuple(at.T)]


def kept(mask, ct, pose, truth, site, origin):
    """The bleed without what lies beyond the tentorium, or (lobar, cerebellar) beyond the midline."""
    where = np.argwhere(mask)
    mm = pose.anatomy_mm(ct.voxel_to_ras(where))
    stays = truth.at(mm) == (site in ("brain stem", "cerebellum"))
    if site in ("lobar", "cerebellum") and abs(origin[0]) > MIDLINE_MM:
        stays &= np.sign(mm[:, 0]) == np.sign(origin[0])
    cut = np.zeros_like(mask)
    cut[tuple(where[stays].T)] = 1
    return cut


def random_scan(rng, folder):
    """(scan, pose, how)"""
    pose = random_pose(rng, turn_deg=float(rng.choice([10.0, 25.0, 40.0], p=[0.5, 0.3, 0.2])))
    how = str(rng.choice(["plain", "tilted", "uneven", "vertex cut", "no base", "opened", "flipped"]))
    heights = {"uneven": np.r_[np.arange(-90, -20, 2.5), np.arange(-18, 95, 7.0)],
               "vertex cut": np.arange(-90, 45, 5.0), "no base": np.arange(-45, 95, 5.0)}.get(how)
    tilt_deg = float(rng.uniform(10, 25)) if how == "tilted" else 0.0
    return scan_of(folder, pose, pixels=112, heights_mm=heights, tilt_deg=tilt_deg,
                   flipped=how == "flipped", opened=how == "opened"), pose, how


def bleeds(rng, truth, ct, pose, count):
    """(mask, site, structure, origin mm) of `count` bleeds that lie in the scan."""
    names = list(PLACES)
    while count:
        name = names[rng.choice(len(names), p=[PLACES[one][2] for one in names])]
        atlas, numbers, _, (low, high) = PLACES[name]
        origin = truth.origin(rng, atlas, numbers)
        if name == ("brain stem", ""):
            origin[0] *= 0.6
        mask = bleed_at(ct, pose, origin, float(np.exp(rng.uniform(np.log(low), np.log(high)))), rng)
        mask = kept(mask, ct, pose, truth, name[0], origin)
        if mask.any():
            count -= 1
            yield mask, *name, origin


def run(data: Path, atlas: Path, heads: int, per_head: int, seed: int):
    rng = np.random.default_rng(seed)
    truth, rows = Truth.read(atlas), []
    for number in range(heads):
        ct, pose, how = random_scan(rng, data / "anatomy")
        started = time.process_time()
        frame = fit_head_frame(ct)
        seconds = time.process_time() - started
        grid = np.stack(np.meshgrid([-55, 0, 55], [-80, -20, 40], [-40, 0, 40]), -1).reshape(-1, 3).astype(float)
        off = np.nan if frame is None else np.median([np.linalg.norm(frame.to_atlas(pose.ras(one)) - one)
                                                      for one in grid])
        fit = frame and (round(frame.fit_mm, 2), round(frame.seen_share, 2), frame.good)
        print(f"head {number} {how}: fit mm, seen, good {fit}, median error {off:.1f} mm, {seconds:.2f} s", flush=True)
        for mask, site, structure, origin in bleeds(rng, truth, ct, pose, per_head):
            ml = float((mask.sum(axis=(1, 2)) * ct.voxel_volumes_mm3).sum() / 1000)
            found = suggest_site(mask, ct, frame)
            side = "midline" if abs(origin[0]) < MIDLINE_MM else "left" if origin[0] < 0 else "right"
            rows.append((how, site, structure, side, ml, found))
            if found and (found.site != site or (side != "midline" and found.side != side)):
                shares = {name: round(share, 2) for name, share in found.shares.items() if share > 0.01}
                print(f"   {side} {site} {structure} {ml:.1f} mL at {np.round(origin)}: said {found.side} {found.site} "
                      f"{found.structure} ({found.certainty:.2f}) {shares}", flush=True)
    return rows


def summary(rows) -> str:
    made = [row for row in rows if row[5] is not None]
    sided = [row for row in made if row[3] != "midline"]
    infra = [(row[1] in ("brain stem", "cerebellum")) == row[5].infratentorial for row in made]
    lines = [f"{len(rows)} bleeds, {len(made)} with a suggestion",
             f"side right {sum(row[5].side == row[3] for row in sided)} of {len(sided)}, opposite "
             f"{sum({row[5].side, row[3]} == {'left', 'right'} for row in sided)}",
             f"infratentorial right {sum(infra)} of {len(infra)} ({np.mean(infra):.1%})",
             f"site right {np.mean([row[5].site == row[1] for row in made]):.1%}"]
    for site in ("lobar", "deep", "brain stem", "cerebellum"):
        these = [row for row in made if row[1] == site]
        if these:
            lines.append(f"  {site}: {sum(row[5].site == site for row in these)} of {len(these)}")
    for word in ("high", "moderate", "low"):
        these = [row for row in made if row[5].certainty_word == word]
        if these:
            right = sum(row[5].site == row[1] for row in these)
            lines.append(f"  certainty {word}: site right {right} of {len(these)}")
    named = [row for row in made if row[2] in ("putamen", "thalamus", "caudate") and row[5].site == "deep"]
    lines.append(f"  deep structure right {sum(row[5].structure == row[2] for row in named)} of {len(named)}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("ICHVOLUME_DATA"))
    parser.add_argument("--atlas", type=Path, default=Path("/usr/share/mricron/templates"))
    parser.add_argument("--heads", type=int, default=40)
    parser.add_argument("--per-head", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(summary(run(Path(args.data), args.atlas, args.heads, args.per_head, args.seed)))


if __name__ == "__main__":
    main()
