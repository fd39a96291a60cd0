"""From a head CT to the mask of its hemorrhage: load the network once, apply it to many scans.

    segmentation = Segmenter().apply(ct)

CTVolume -> turned, boxed, windowed slices -> p(ICH), p(IVH) -> threshold -> clean-up -> mask on the scan's own grid.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import Cancelled
from ..core.findings import WARNING, Finding
from ..core.labels import ICH, IVH
from ..engines import FAILURES, Engine, choose_engine, fallback_finding
from ..imaging.head_mask import find_head
from ..imaging.windowing import window
from ..network.base import check_classes
from ..network.weights import load_weights
from ..postprocessing.false_positive_filter import POSSIBLE
from ..postprocessing.local_contrast import Evidence
from ..postprocessing.steps import clean_mask
from .clean_up_findings import clean_up_findings
from .conformal_interval import calibrated_on, volume_interval_ml
from .grid import Grid, make_grid
from .input_slices import neighbours
from .orientation import Orientation

log = logging.getLogger(__name__)

AMBIGUOUS = (POSSIBLE, 0.8)  # p(bleed) between these is neither bleed nor background
UNCERTAINTY_FLOOR_MM2 = 10.0  # so that a single doubtful pixel does not make a slice look bad

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What the network found in one scan.

    mask: uint8 (slices, rows, columns) on the scan's grid, 0 background, 1 ICH, 2 IVH.
    slice_uncertainty: (slices,) float32, 0 sure to 1 doubtful: the share of the doubtful area in the area marked or
        doubtful; for the order in which a person reviews the slices.
    interval_ml: where the true volume lies in a share interval_coverage (0.9) of cases like those that the weights were
        calibrated on (interval_calibrated_on: "synthetic patients"); None and empty if they were not.
    ambiguous_ml: volume of the voxels with p(bleed) between 0.2 and 0.8.
    seconds: {"load", "prepare", "network", "clean"}; load is 0 for a warm Segmenter.
    model, model_sha256, training_data: from the weights' manifest. clean_up: see postprocessing.steps.clean_mask.
    """

    mask: np.ndarray
    slice_uncertainty: np.ndarray
    findings: list[Finding]
    engine: str
    device: str
    seconds: dict
    model: str
    model_sha256: str
    training_data: str = ""
    clean_up: list = field(default_factory=list)
    interval_ml: tuple[float, float] | None = None
    ambiguous_ml: float = 0.0
    interval_coverage: float | None = None
    interval_calibrated_on: str = ""


class Segmenter:
    """Holds the verified weights and the engine, ready for the next scan.

    device: "auto", "cpu", "cuda"; engine: "auto", "openvino", "torch"; weights_dir: a folder instead of the shipped
    weights. crop False runs the whole of every slice (to measure what the head box and skipped slices change).
    threads: cores that the engine may use, None: all.
    Raises InputError for missing or damaged weights, or of a network of other classes.
    """

    def __init__(self, device: str = "auto", weights_dir=None, engine: str = "auto", *, crop: bool = True,
                 threads: int | None = None):
        self.weights = load_weights(weights_dir)
        check_classes(self.weights.config)
        self._wanted = (device, engine)
        self._crop = crop
        self._threads = threads
        self._engine: Engine | None = None
        self._failed: tuple[str, ...] = ()
        self._engine_findings: list[Finding] = []

    def apply(self, ct: CTVolume, progress: Progress | None = None,
              is_cancelled: Callable[[], bool] | None = None) -> Segmentation:
        """Raises InputError when the slices are not axial, Cancelled when is_cancelled() says so between slices,
        PackagesMissing or EngineError when nothing can run the network."""
        progress, is_cancelled = progress or (lambda *_: None), is_cancelled or (lambda: False)
        seconds: dict[str, float] = {}
        clock = time.perf_counter
        start = clock()
        scan = _Scan(ct, self.weights, self._crop)
        seconds["prepare"] = clock() - start
        _stop_if(is_cancelled)

        start = clock()
        engine = self._ready(*scan.grid.box_shape)
        seconds["load"] = clock() - start

        start = clock()
        engine = self._run(engine, scan, progress, is_cancelled)
        seconds["network"] = clock() - start

        start = clock()
        progress("clean", 0, 1)
        steps = scan.clean()
        progress("clean", 1, 1)
        seconds["clean"] = clock() - start
        return scan.segmentation(engine, self.findings(), seconds, steps)

    def bleed_probability(self, ct: CTVolume) -> np.ndarray:
        """p(ICH) + p(IVH) of every voxel before threshold and clean-up, float16 (slices, rows, columns); calibration
        reads it. 0 where the network does not look (no brain there)."""
        scan = _Scan(ct, self.weights, self._crop)
        engine = self._ready(*scan.grid.box_shape)
        probability = np.zeros(ct.hu.shape, np.float16)
        turned = scan.orientation.view(probability)
        for index in scan.slices_to_run:
            lesions = engine.predict(scan.network_input(np.array([index])))[0]
            turned[(index, *scan.grid.native_part)] = scan.grid.to_native(lesions).sum(axis=0)
        return probability

    def network_input(self, ct: CTVolume, indices: np.ndarray) -> np.ndarray:
        """What the network is given for these slices, counted from the feet: (n, in_slices, rows, columns) float32."""
        return _Scan(ct, self.weights, self._crop).network_input(np.asarray(indices))

    @property
    def engine(self):
        """The engine in use, None before the first scan."""
        return self._engine

    def findings(self) -> list[Finding]:
        """What the choice and the running of the engine have to say about the last scan."""
        return [*self._engine_findings, *(self._engine.findings if self._engine else ())]

    def _ready(self, rows: int, columns: int) -> Engine:
        engine = self._engine
        if engine is None:
            return self._choose(rows, columns)
        engine.findings.clear()
        try:
            engine.prepare(rows, columns)
            return engine
        except FAILURES as error:
            return self._fall_back(engine, error, rows, columns)

    def _choose(self, rows: int, columns: int) -> Engine:
        self._engine, findings = choose_engine(*self._wanted, self.weights, rows, columns, skip=self._failed,
                                               threads=self._threads)
        self._engine_findings += findings
        return self._engine

    def _fall_back(self, engine: Engine, error: BaseException, rows: int, columns: int) -> Engine:
        log.warning("%s failed while running", engine.label, exc_info=error)
        self._engine_findings += [*engine.findings, fallback_finding(engine.label, error)]
        self._failed += (engine.label,)
        self._engine = None
        return self._choose(rows, columns)

    def _run(self, engine: Engine, scan: "_Scan", progress: Progress, is_cancelled) -> Engine:
        """The engine that did the last slice: another one where the first failed on the way."""
        done, total = 0, len(scan.slices_to_run)
        progress("network", 0, total)
        while done < total:
            _stop_if(is_cancelled)
            indices = scan.slices_to_run[done:done + engine.batch_size]
            slices = scan.network_input(indices)
            try:
                lesions = engine.predict(slices)
            except FAILURES as error:
                engine = self._fall_back(engine, error, *scan.grid.box_shape)
                continue
            for index, one in zip(indices, lesions, strict=True):
                scan.take(index, one)
            done += len(indices)
            progress("network", done, total)
        return engine


class _Scan:
    """One scan on its way: arrays turned as the network was trained, results written through to the scan's own grid."""

    def __init__(self, ct: CTVolume, weights, crop: bool):
        self.orientation = Orientation.of(ct)
        self.hu = self.orientation.view(ct.hu)
        self.mask = np.zeros(ct.hu.shape, np.uint8)
        self._mask = self.orientation.view(self.mask)
        self._probability = np.zeros(self.hu.shape, np.float16)  # pages that nothing is written to take no memory
        self._ivh_probability = np.zeros(self.hu.shape, np.float16)
        self._likely = np.zeros(self.hu.shape, np.uint8)
        self._voxel_mm3 = ct.voxel_volumes_mm3[::-1] if self.orientation.flip[0] else ct.voxel_volumes_mm3
        self._pixel_area_mm2 = ct.pixel_area_mm2
        self._ambiguous_mm2 = np.zeros(len(self.hu))
        self._uncertainty = np.zeros(len(self.hu), np.float32)
        self._weights = weights
        self._spacing_mm = ct.pixel_spacing_mm[::-1] if self.orientation.transpose else ct.pixel_spacing_mm
        self.head = find_head(self.hu, self._spacing_mm)
        pixels = weights.manifest["pixel_spacing_mm"]
        self.grid: Grid = make_grid(self.head, self.hu.shape[1:], self._spacing_mm, tuple(pixels["native_range"]),
                                    pixels["target"], weights.config.size_multiple, crop)
        self._near: dict[int, np.ndarray] = {}  # the last slices brought to the network: a neighbour is needed again
        self.slices_to_run = np.flatnonzero(self.head.has_brain) if crop else np.arange(len(self.hu))

    def network_input(self, indices: np.ndarray) -> np.ndarray:
        """(n, in_slices, *box_shape) float32; beyond the first and last slice the end slice is repeated."""
        rows = neighbours(indices, len(self.hu), self._weights.config.in_slices)
        self._near = {k: self._near[k] if k in self._near else self._single(k) for k in np.unique(rows).tolist()}
        return np.stack([[self._near[k] for k in row] for row in rows.tolist()])

    def _single(self, k: int) -> np.ndarray:
        return self.grid.to_network(window(self.hu[k], *self._weights.window_hu))

    def take(self, index: int, lesions: np.ndarray) -> None:
        """lesions: p(ICH), p(IVH) of one slice, (2, *box_shape). Only where they matter do they leave the box."""
        found = self.grid.around(lesions.sum(axis=0) >= min(self._weights.threshold, POSSIBLE))
        if found is None:
            return
        grid, part = found
        ich, ivh = grid.to_native(lesions[(slice(None), *part)])
        bleed = ich + ivh
        marked = bleed >= self._weights.threshold
        label = np.where(ivh > ich, np.uint8(IVH.value), np.uint8(ICH.value))
        self._probability[(index, *grid.native_part)] = bleed
        self._ivh_probability[(index, *grid.native_part)] = ivh
        self._likely[(index, *grid.native_part)] = label * (bleed >= POSSIBLE)
        self._mask[(index, *grid.native_part)] = label * marked
        doubtful = (bleed >= AMBIGUOUS[0]) & (bleed < AMBIGUOUS[1])
        doubtful_mm2, either_mm2 = (np.count_nonzero(area) * self._pixel_area_mm2
                                    for area in (doubtful, doubtful | marked))
        self._ambiguous_mm2[index] = doubtful_mm2
        self._uncertainty[index] = doubtful_mm2 / (either_mm2 + UNCERTAINTY_FLOOR_MM2)

    def clean(self) -> list[dict]:
        manifest = self._weights.manifest
        classifier = manifest["calibration"].get("pieces")
        evidence = Evidence(self.hu, self._probability, self._spacing_mm, classifier, self._likely,
                            self._ivh_probability) if classifier else None
        cleaned, steps = clean_mask(self._mask, self._voxel_mm3, self.head if self.head.skull_found else None,
                                    manifest["clean_up_mm3"], evidence)
        self._mask[...] = cleaned
        if self.orientation.flip[0]:
            steps = [{**step, **({"slices": [len(self.hu) - 1 - k for k in reversed(step["slices"])]}
                                 if "slices" in step else {})} for step in steps]
        return steps

    def segmentation(self, engine: Engine, noticed: list[Finding], seconds: dict, clean_up: list[dict]) -> Segmentation:
        marked_ml = float(np.count_nonzero(self._mask, axis=(1, 2)) @ self._voxel_mm3) / 1000
        ambiguous_ml = float(self._ambiguous_mm2 @ (self._voxel_mm3 / self._pixel_area_mm2)) / 1000
        findings = list(noticed)
        if not self.head.skull_found:
            findings.append(Finding("no-skull", WARNING, "No skull was found, so this may not be a head CT in "
                                                         "Hounsfield units; the whole of every slice was searched."))
        findings += clean_up_findings(clean_up, marked_ml)
        uncertainty = self._uncertainty[::-1] if self.orientation.flip[0] else self._uncertainty
        calibration = self._weights.manifest["calibration"]
        return Segmentation(
            mask=self.mask, slice_uncertainty=np.ascontiguousarray(uncertainty), findings=findings,
            engine=engine.name, device=engine.device,
            seconds={name: round(value, 4) for name, value in seconds.items()},
            model=self._weights.version, model_sha256=self._weights.sha256,
            training_data=self._weights.manifest["training_data"], clean_up=clean_up,
            interval_ml=volume_interval_ml(marked_ml, ambiguous_ml, calibration), ambiguous_ml=ambiguous_ml,
            interval_coverage=calibration.get("interval", {}).get("coverage"),
            interval_calibrated_on=calibrated_on(calibration))


def segment_ct(ct: CTVolume, progress: Progress | None = None, is_cancelled: Callable[[], bool] | None = None,
               **segmenter) -> Segmentation:
    """Segmenter(**segmenter).apply(ct, progress, is_cancelled), for a single scan."""
    return Segmenter(**segmenter).apply(ct, progress, is_cancelled)


def _stop_if(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise Cancelled("Stopped as asked; nothing was written.")
