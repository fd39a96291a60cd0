"""A whole case from the start of a process to the written mask: cold, and again in the same process."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from ..core.child_process import child_environment
from ..core.ct_volume import CTVolume
from ..core.errors import ICHVolumeError
from ..engines.cache import ENVIRONMENT_VARIABLE
from ..io.read_ct import read_ct
from ..measure import abc2, measure_mask
from ..workflow.case import run_measure
from .rounds import alternate, median_ratio


def run_child(source: Path, folder: Path, repeats: int = 2, weights_dir=None) -> dict:
    """{"cold", "warm", "peak_memory_mb", "engine", "device", "findings"}; cold and warm: step -> seconds and "total".

    source: a DICOM folder; folder: where the mask and the compile cache go (a second call finds the cache filled).
    Raises ICHVolumeError when the child fails.
    """
    command = [sys.executable, "-m", "ICHVolumeLib.bench.case_child", str(source), str(folder / "mask.seg.nrrd"),
               str(repeats), *([str(weights_dir)] if weights_dir else [])]
    environment = {**child_environment(), ENVIRONMENT_VARIABLE: str(folder / "cache")}
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ICHVolumeError(f"The process for the whole case failed: {reason}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    first, *more = told["cases"]
    before = {"start": told["entered"] - started, "import": told["imported"] - told["entered"],
              "weights": told["loaded"] - told["imported"]}
    cold = {**before, **first["steps"], "total": first["ended"] - started}
    warm = [{**one["steps"], "total": one["ended"] - one["began"]} for one in more]
    return {"cold": cold, "warm": warm[-1] if warm else None, "peak_memory_mb": told["peak_memory_mb"],
            "engine": first["engine"], "device": first["device"], "findings": first["findings"],
            "marked_voxels": first["marked_voxels"]}


def cold_and_warm(source: Path, folder: Path, repeats: int, weights_dir=None) -> dict:
    """{"first_ever", "cold", "warm", ...}: with an empty cache once, then the median child of `repeats`."""
    first_ever = run_child(source, folder, 1, weights_dir)
    children = [run_child(source, folder, 2, weights_dir) for _ in range(repeats)]
    middle = sorted(children, key=lambda child: child["cold"]["total"])[(len(children) - 1) // 2]
    return {**middle, "first_ever": first_ever["cold"], "children": len(children),
            "warm": sorted((child["warm"] for child in children), key=lambda warm: warm["total"])[len(children) // 2],
            "cold_totals": [child["cold"]["total"] for child in children],
            "warm_totals": [child["warm"]["total"] for child in children]}


def report_seconds(source: Path, mask_path: Path, folder: Path) -> dict:
    """Seconds of what follows the mask in `ichvolume segment`: 3D model, report, files."""
    case = run_measure(source, mask_path, folder / "case")
    return {name: case.seconds[name] for name in ("write mask and 3D model", "report", "write results")}


def remeasure_ms(ct: CTVolume, mask: np.ndarray, repeats: int) -> float:
    """Median milliseconds to measure the mask anew, as after an edit of every piece."""
    def anew():
        abc2.forget_lines()
        measure_mask(ct, mask)

    return median_ms(anew, repeats)


def reading_ms(source: Path, repeats: int) -> dict:
    """Milliseconds to read a DICOM folder: ours (with positions, checks, rescaling) and SimpleITK's series reader, by
    turns, with the files in the system's cache. ratio: SimpleITK's time / ours."""
    import SimpleITK as sitk

    def with_simpleitk():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(source)))
        return reader.Execute()

    times = alternate({"ours": lambda: read_ct(source), "SimpleITK": with_simpleitk}, repeats)
    return {**{name: statistics.median(values) for name, values in times.items()},
            "ratio": median_ratio(times["SimpleITK"], times["ours"])}


def median_ms(function, repeats: int) -> float:
    """Median milliseconds of a call, after one that fills caches and imports."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)
