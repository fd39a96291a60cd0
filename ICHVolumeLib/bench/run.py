"""All parts of `ichvolume bench` in order, as one dictionary of plain values (the JSON that -o writes)."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..io.segmentation_nrrd import write_mask_seg_nrrd
from ..segmentation.segmenter import Segmenter
from ..synthetic.dicom_series import write_dicom_series
from ..synthetic.sample import make_sample
from . import machine, savings, whole_case
from .engines import BASELINE, NAMES, WORDS, make_runners
from .peers import measure_peers
from .rounds import ROUNDS, interleave, median_ratio
from .scans import THIN_SLICES, fixed_slices, thin_scan, whole_slices

SCHEMA = "ichvolume-bench/1"
GRIDS = {"shipped": "as the weights take this scan", "native": "as scanned, not cropped, not resampled"}


@dataclass(frozen=True)
class Options:
    """engines: names of engines.NAMES; patients: for the comparison with the full run, 0 leaves it out."""

    engines: tuple[str, ...] = NAMES
    threads: int = 2
    quick: bool = False
    peers: bool = True
    layers: bool = False
    patients: int = 6
    weights_dir: Path | None = None
    seed: int = 0

    @property
    def rounds(self) -> int:
        return 5 if self.quick else ROUNDS

    @property
    def repeats(self) -> int:
        return 1 if self.quick else 3


def run_bench(options: Options, tell: Callable[[str], None] = lambda text: None) -> dict:
    """Everything. tell: called with a sentence before each part. Raises InputError for unusable weights."""
    watch = _Load()
    tell("Making a patient of 40 slices")
    sample = make_sample(options.seed, ivh=True)
    segmenter = Segmenter(weights_dir=options.weights_dir)
    result = {"schema": SCHEMA, "quick": options.quick, "machine": machine.describe_machine(options.threads),
              "model": {"version": segmenter.weights.version, "sha256": segmenter.weights.sha256,
                        "pixel_mm": segmenter.weights.manifest["pixel_spacing_mm"]["target"]},
              "scan": {"shape": list(sample.ct.hu.shape), "spacing_mm": list(sample.ct.pixel_spacing_mm)}}
    result["engines"] = engines_part(options, segmenter, sample, tell)
    with tempfile.TemporaryDirectory(prefix="ichvolume-bench-", ignore_cleanup_errors=True) as name:
        result["case"] = case_part(options, sample, Path(name), tell)
    result["remeasure_ms"] = remeasure_part(options, sample, tell)
    if options.patients and not options.quick:
        tell(f"Head box and skipped slices against the full run, {options.patients} patients")
        result["savings"] = savings.compare(options.patients, options.weights_dir)
    if options.peers and not options.quick:
        result["peers"] = peers_part(options, sample.ct, result["case"], tell)
    return {**result, **watch.summary()}


def engines_part(options: Options, segmenter: Segmenter, sample, tell) -> dict:
    """Per grid of GRIDS: size, GFLOP, and a row per engine; why an engine is left out."""
    weights, indices = segmenter.weights, fixed_slices(sample.ct, sample.mask)
    inputs = {"shipped": segmenter.network_input(sample.ct, indices)[:, None],
              "native": whole_slices(sample.ct, indices, weights.window_hu, weights.config.in_slices)}
    parts = {}
    for grid, slices in inputs.items():
        tell(f"Engines, {slices.shape[-2]}x{slices.shape[-1]} pixels")
        runners, left_out = make_runners(weights, options.engines, options.threads, *slices.shape[-2:])
        parts[grid] = {"what": GRIDS[grid], "pixels": list(slices.shape[-2:]), "slices": len(slices),
                       "rounds": options.rounds, "left_out": left_out,
                       **_compare(weights, runners, slices, options)}
    return parts


def _compare(weights, runners: dict, slices: np.ndarray, options: Options) -> dict:
    peaks = _peaks(runners, options.threads)
    probes = {f"peak {precision}": peak.run for precision, peak in peaks.items()}
    times = interleave({**runners, **probes}, slices, options.rounds)
    masks = {name: np.concatenate([run(one).sum(axis=1) >= weights.threshold for one in slices])
             for name, run in runners.items()}
    reference = BASELINE if BASELINE in runners else next(iter(runners), None)
    gflop, published = _gflop(weights, slices.shape[-2:])
    rows = []
    for name in runners:
        row = {"engine": name, "label": WORDS[name], "ms": statistics.median(times[name]), "ms_min": min(times[name]),
               "ratio": median_ratio(times[BASELINE], times[name]) if BASELINE in times else None,
               "dice": savings.dice(masks[name], masks[reference]), "share_of_peak": None}
        precision = name.removeprefix("openvino-")
        if precision in peaks:
            ratios = [gflop / own / (peaks[precision].gflop / peak)
                      for own, peak in zip(times[name], times[f"peak {precision}"], strict=True)]
            row["share_of_peak"] = statistics.median(ratios)
        rows.append(row)
    part = {"reference": reference, "gflop_as_run": gflop, "gflop_published": published, "rows": rows,
            "peak_gflop_s": {precision: 1000 * peak.gflop / min(times[f"peak {precision}"])
                             for precision, peak in peaks.items()}}
    if options.layers and peaks:
        part["layers"] = _layers(weights, slices, rows, peaks, options)
    return part


def _peaks(runners: dict, threads: int) -> dict:
    precisions = [name.removeprefix("openvino-") for name in runners if name in ("openvino-f32", "openvino-bf16")]
    if not precisions:
        return {}
    from .peak import ConvolutionPeak

    return {precision: ConvolutionPeak(precision, threads) for precision in precisions}


def _gflop(weights, shape) -> tuple[float | None, float | None]:
    try:
        from .layers import convolution_layers, gflop_of

        return gflop_of(convolution_layers(weights, *shape))
    except (ImportError, RuntimeError):  # no OpenVINO here, or no graph of this network there
        return None, None


def _layers(weights, slices, rows, peaks: dict, options: Options) -> dict:
    """Of the faster OpenVINO precision."""
    from .layers import layer_table

    times = {row["engine"].removeprefix("openvino-"): row["ms"] for row in rows}
    precision = min(peaks, key=times.get)
    return layer_table(weights, slices, precision, options.threads, options.rounds, peaks[precision])


def case_part(options: Options, sample, folder: Path, tell) -> dict:
    """The 40 slices cold, warm and reported; the 300 slices for memory, time and reading."""
    tell("A whole case of 40 slices: cold and warm")
    write_dicom_series(sample.ct, folder / "ct40")
    write_mask_seg_nrrd(folder / "truth.seg.nrrd", sample.mask, sample.ct)
    part = {"slices": len(sample.ct.hu),
            **whole_case.cold_and_warm(folder / "ct40", folder, options.repeats, options.weights_dir)}
    part["after_the_mask"] = whole_case.report_seconds(folder / "ct40", folder / "truth.seg.nrrd", folder)
    if options.quick:
        return part
    tell(f"{THIN_SLICES} slices: reading, time and memory")
    write_dicom_series(thin_scan(sample.ct), folder / "ct300")
    part["reading_ms"] = whole_case.reading_ms(folder / "ct300", 2 * options.repeats + 1)
    part["thin"] = {"slices": THIN_SLICES,
                    **whole_case.run_child(folder / "ct300", folder, 2, options.weights_dir)}
    return part


def remeasure_part(options: Options, sample, tell) -> dict:
    """Median milliseconds by number of slices."""
    tell("Measuring again after an edit")
    thin = thin_scan(sample.ct)
    nearest = np.round(np.linspace(0, len(sample.mask) - 1, THIN_SLICES)).astype(int)
    repeats = 5 if options.quick else 15
    return {str(len(ct.hu)): whole_case.remeasure_ms(ct, mask, repeats)
            for ct, mask in ((sample.ct, sample.mask), (thin, sample.mask[nearest]))}


def peers_part(options: Options, ct, case: dict, tell) -> dict:
    """Rows of peers.measure_peers with how many times ours is faster, or why there are none."""
    ours = sum(case["warm"].get(step, 0.0) for step in ("prepare", "coarse", "network"))
    try:
        rows = measure_peers(ct, options.threads, tell=tell)
    except ImportError as error:
        return {"left_out": f"not run ({error}); install the extra `bench` (pip install .[bench]) to compare."}
    return {"ours_seconds": ours, "rows": [{**row, "times_ours": row["case_seconds"] / ours} for row in rows]}


class _Load:
    """The load before and after, and the share of the time that this process had the processor."""

    def __init__(self):
        self._before, self._wall, self._own = machine.load(), time.perf_counter(), time.process_time()

    def summary(self) -> dict:
        after = machine.load()
        most = max((one for one in (self._before, after) if one is not None), default=None)
        wall = time.perf_counter() - self._wall
        return {"load_before": self._before, "load_after": after, "void": most is not None and most > machine.VOID_LOAD,
                "seconds": wall, "processor_seconds": time.process_time() - self._own}
