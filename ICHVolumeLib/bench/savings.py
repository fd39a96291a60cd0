"""What the coarse pass, the head box and the skipped slices save, and what they change against the full run."""

import statistics
from collections.abc import Iterator

from ..core.ct_volume import CTVolume
from ..imaging.dice import dice
from ..segmentation.segmenter import Segmenter
from ..synthetic.sample import make_sample
from .scans import tiny_bleed_patient

TINY_ML = (0.1, 0.3, 1.0)


def patients(count: int) -> Iterator[tuple[str, CTVolume]]:
    """Made patients, by turns with one of the sample's bleeds (with ventricular blood in every second) and with
    nothing but a ball of 0.1, 0.3 or 1 mL."""
    for index in range(count):
        if index % 2:
            volume_ml = TINY_ML[index // 2 % len(TINY_ML)]
            yield f"seed {index}, {volume_ml} mL alone", tiny_bleed_patient(index, volume_ml)[0]
        else:
            sample = make_sample(index, ivh=index % 4 == 0)
            yield f"seed {index}, {sample.true_volume_ml['total']:.1f} mL", sample.ct


def compare(count: int, weights_dir=None, cases=None) -> dict:
    """{"cases": rows, "speed_ratio", "dice_min", "dice_mean"}; every run is the second one of its kind and size.

    speed_ratio: full run / shortened run, seconds of preparation, network and cleaning.
    """
    shortened = Segmenter(weights_dir=weights_dir)
    full = Segmenter(weights_dir=weights_dir, crop=False, coarse=False)
    rows = []
    for name, ct in cases if cases is not None else patients(count):
        for segmenter in (shortened, full):
            segmenter.apply(ct)  # compiles
        short, whole = shortened.apply(ct), full.apply(ct)
        rows.append({"patient": name, "seconds": _work(short), "full_seconds": _work(whole),
                     "dice": dice(short.mask, whole.mask), "marked_voxels": int((whole.mask > 0).sum())})
    known = [row["dice"] for row in rows]
    return {"cases": rows, "speed_ratio": statistics.median(row["full_seconds"] / row["seconds"] for row in rows),
            "dice_min": min(known), "dice_mean": statistics.fmean(known)}


def _work(segmentation) -> float:
    return sum(segmentation.seconds[name] for name in ("prepare", "coarse", "network", "clean"))
