"""From a head CT to the mask of its hemorrhage: load the network once, apply it to many scans.

    segmentation = Segmenter().apply(ct)

CTVolume -> turned, boxed, windowed slices -> coarse pass -> crops around what it proposes -> p(ICH), p(IVH) ->
threshold -> clean-up -> mask on the scan's own grid.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import Cancelled
from ..core.findings import Finding
from ..core.labels import ICH
from ..imaging.crop import Crop, whole
from ..network.base import CLASSES, check_classes
from ..network.weights import Weights, coarse_folder, load_weights
from .below_skull import drop_below_skull
from .coarse_pass import Proposals, is_wanted, look, on_grid
from .coarse_view import CoarseView, SeenBeside
from .conformal_interval import TOTAL, calibrated_on, label_intervals_ml, raised, volume_interval_ml
from .crops import crops_around, predict_crops
from .network_runner import NetworkRunner
from .outside_brain import is_known_to
from .scan import NetworkSlices, ScanResult, TurnedScan

Progress = Callable[[str, int, int], None]
ON_A_GPU = "torch cuda"  # the label of an engine that needs no coarse pass
USUAL_BOX = (320, 320)  # pixels of a head, for engines that get ready for a size


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What the network found in one scan.

    mask: uint8 (slices, rows, columns) on the scan's grid, 0 background, 1 ICH, 2 IVH.
    outside: uint8 like mask, 1 where blood inside the skull but outside the brain is seen (outside_brain.py),
        outside_ml of it: no part of the mask; None where the weights do not know it, no
        skull was found or there was no coarse pass.
    slice_uncertainty: (slices,) float32, 0 sure to 1 doubtful: the share of the doubtful area in the area marked or
        doubtful; for the order in which a person reviews the slices.
    interval_ml: where the true volume lies in a share interval_coverage (0.9) of cases like those that the weights were
        calibrated on (interval_calibrated_on: "synthetic patients"); None and empty if they were not. Its upper end is
        raised by what unmarked_blood.py tells of.
    label_intervals_ml: "ICH", "IVH" -> the same for the volume of each label that is marked, where it is calibrated.
    ambiguous_ml: volume of the voxels with p(bleed) between 0.2 and 0.8.
    seconds: {"prepare", "load", "coarse", "network", "clean"}; load is next to 0 for a warm Segmenter, coarse 0 where
        there is no coarse pass.
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
    label_intervals_ml: dict[str, tuple[float, float]] = field(default_factory=dict)
    outside: np.ndarray | None = None
    outside_ml: float | None = None


class Segmenter:
    """Holds the verified weights and the engines, ready for the next scan.

    device: "auto", "cpu", "cuda"; engine: "auto", "openvino", "torch"; weights_dir: a folder instead of the shipped
    weights. coarse False: the fine network looks at the whole head in every slice with brain. crop False: at the whole
    of every slice (both to measure what is lost). threads: cores that the engines may use, None: all.
    Raises InputError for missing or damaged weights, or of a network of other classes.
    """

    def __init__(self, device: str = "auto", weights_dir=None, engine: str = "auto", *, crop: bool = True,
                 coarse: bool = True, threads: int | None = None):
        self.weights = load_weights(weights_dir)
        check_classes(self.weights.config)
        self._fine = NetworkRunner(self.weights, device, engine, threads)
        self._coarse = None
        folder = coarse_folder(weights_dir)
        if coarse and folder:
            self._coarse = NetworkRunner(load_weights(folder), device, engine, threads)
            check_classes(self._coarse.weights.config, CLASSES + is_known_to(self._coarse.weights))
        self._crop = crop

    def apply(self, ct: CTVolume, progress: Progress | None = None,
              is_cancelled: Callable[[], bool] | None = None) -> Segmentation:
        """Raises InputError when the slices are not axial, Cancelled when is_cancelled() says so between slices,
        PackagesMissing or EngineError when nothing can run the network."""
        progress, is_cancelled = progress or (lambda *_: None), is_cancelled or (lambda: False)
        seconds = {"load": 0.0, "coarse": 0.0}
        clock = time.perf_counter
        start = clock()
        scan = TurnedScan(ct, self._crop)
        slices = NetworkSlices(scan, self.weights)
        result = ScanResult(ct, scan, self.weights, slices.grid)
        seconds["prepare"] = clock() - start
        _stop_if(is_cancelled)

        view = CoarseView(scan, self.coarse_weights) if is_wanted(scan, self.coarse_weights) else None
        looks = self._looks(scan, slices, view, progress, is_cancelled, seconds)
        start = clock()
        for index, lesions in self._lesions(slices, looks, progress, is_cancelled):
            result.take(index, lesions)
        seconds["network"] = clock() - start

        start = clock()
        progress("clean", 0, 1)
        steps = result.clean()
        has_brain = scan.head.has_brain[::-1] if scan.orientation.flip[0] else scan.head.has_brain
        if scan.head.skull_found and (below := drop_below_skull(ct, result.mask, has_brain)):
            steps.append(below)
        beside = SeenBeside() if view is None else view.beside(ct, result.mask, has_brain)
        progress("clean", 1, 1)
        seconds["clean"] = clock() - start
        return self._segmentation(ct, result, beside, seconds, steps)

    def load(self) -> None:
        """Ready the engines before there is a scan. Raises PackagesMissing or EngineError when nothing can run."""
        for runner in (self._coarse, self._fine):
            if runner:
                runner.ready(*USUAL_BOX)

    def lesion_probabilities(self, ct: CTVolume) -> np.ndarray:
        """p(ICH) and p(IVH) of every voxel before threshold and clean-up, float16 (2, slices, rows, columns);
        calibration reads them. 0 where the network does not look (no brain, or certainly nothing there)."""
        scan = TurnedScan(ct, self._crop)
        slices = NetworkSlices(scan, self.weights)
        probabilities = np.zeros((2, *ct.hu.shape), np.float16)
        turned = [scan.orientation.view(one) for one in probabilities]
        looks = self._looks(scan, slices, None, lambda *_: None, lambda: False, {"load": 0.0})
        for index, lesions in self._lesions(slices, looks, lambda *_: None, lambda: False):
            for one, of_label in zip(turned, slices.grid.to_native(lesions), strict=True):
                one[(index, *slices.grid.native_part)] = of_label
        return probabilities

    def network_input(self, ct: CTVolume, indices: np.ndarray) -> np.ndarray:
        """What the network is given for these slices, counted from the feet: (n, in_slices, rows, columns) float32."""
        return NetworkSlices(TurnedScan(ct, self._crop), self.weights).of(np.asarray(indices))

    @property
    def model_name(self) -> str:
        """The version of the weights, and of those of the coarse pass where it looks first."""
        first = f" with coarse pass {self.coarse_weights.version}" if self.coarse_weights else ""
        return self.weights.version + first

    @property
    def coarse_weights(self) -> Weights | None:
        return self._coarse.weights if self._coarse else None

    @property
    def engine(self):
        """The engine in use, None before the first scan."""
        return self._fine.engine or (self._coarse.engine if self._coarse else None)

    def findings(self) -> list[Finding]:
        """What the choice and the running of the engines have to say about the last scan."""
        runners = [self._fine, *([self._coarse] if self._coarse else [])]
        said = {finding.message: finding for runner in runners for finding in runner.findings()}
        return list(said.values())

    def _looks(self, scan: TurnedScan, slices: NetworkSlices, view: CoarseView | None, progress: Progress,
               is_cancelled, seconds: dict) -> dict[int, list[Crop]]:
        """Slice -> the crops of it that the fine network has to see; view: filled on the way."""
        shape = slices.grid.box_shape
        proposals = None
        if is_wanted(scan, self.coarse_weights):
            proposals = self._proposals(scan, view, progress, is_cancelled, seconds)
        if proposals is None:
            looks = {index: [whole(shape)] for index in scan.slices_to_run.tolist()}
        else:
            looks = {}
            for index, boxes in proposals.items():
                inside = [box for box in (on_grid(one, slices.grid) for one in boxes) if box]
                looks[index] = crops_around(inside, shape, slices.pixel_mm, self.weights.config.size_multiple)
        start = time.perf_counter()
        first = next((crops[0] for crops in looks.values() if crops), None)
        if first or not self.engine:
            self._fine.ready(*(first.shape if first else shape))
        seconds["load"] += time.perf_counter() - start
        return looks

    def _proposals(self, scan: TurnedScan, view: CoarseView | None, progress: Progress, is_cancelled,
                   seconds: dict) -> Proposals | None:
        """None where the fine network had better look at everything: on a GPU."""
        start = time.perf_counter()
        coarse_slices = NetworkSlices(scan, self._coarse.weights)
        engine = self._coarse.ready(*coarse_slices.grid.box_shape)
        seconds["load"] += time.perf_counter() - start
        if engine.label == ON_A_GPU and (view is None or not view.knows_outside):
            return None
        total = len(scan.slices_to_run)

        def each(done: int) -> None:
            _stop_if(is_cancelled)
            progress("coarse", done, total)

        start = time.perf_counter()
        proposals = look(scan, coarse_slices, self._coarse, view, each)
        seconds["coarse"] = time.perf_counter() - start
        return None if engine.label == ON_A_GPU else proposals

    def _lesions(self, slices: NetworkSlices, looks: dict[int, list[Crop]], progress: Progress,
                 is_cancelled) -> Iterator[tuple[int, np.ndarray]]:
        """(slice, p(ICH) and p(IVH) on the network's box, (2, *box_shape)) of every slice to look at."""
        indices, done = list(looks), 0
        progress("network", 0, len(indices))
        while done < len(indices):
            _stop_if(is_cancelled)
            some = indices[done:done + self._batch(looks, indices[done])]
            lesions = predict_crops(self._fine.predict, slices.of(np.array(some)), looks[some[0]])
            yield from zip(some, lesions, strict=True)
            done += len(some)
            progress("network", done, len(indices))

    def _batch(self, looks: dict[int, list[Crop]], first: int) -> int:
        """How many slices from here on are given to the engine at once; those of other crops are not."""
        size = self._fine.engine.batch_size if self._fine.engine else 1
        following = [crops for index, crops in looks.items() if index >= first][:size]
        return next((count for count, crops in enumerate(following) if crops != looks[first]), len(following))

    def _segmentation(self, ct: CTVolume, result: ScanResult, beside: SeenBeside, seconds: dict,
                      clean_up: list[dict]) -> Segmentation:
        amounts = result.amounts
        marked_ml, ambiguous_ml = amounts.marked_ml[TOTAL], amounts.doubtful_ml[TOTAL]
        calibration = self.weights.manifest["calibration"]
        of_labels = label_intervals_ml(amounts, calibration)
        if ICH.name in of_labels:
            of_labels[ICH.name] = raised(of_labels[ICH.name], beside.unmarked_ml)
        return Segmentation(
            mask=result.mask, slice_uncertainty=result.slice_uncertainty,
            findings=[*self.findings(), *result.findings(clean_up), *beside.findings],
            engine=self.engine.name, device=self.engine.device,
            seconds={name: round(value, 4) for name, value in seconds.items()},
            model=self.model_name, model_sha256=self.weights.sha256,
            training_data=self.weights.manifest["training_data"], clean_up=clean_up,
            interval_ml=raised(volume_interval_ml(marked_ml, ambiguous_ml, calibration), beside.unmarked_ml),
            ambiguous_ml=ambiguous_ml,
            interval_coverage=calibration.get("interval", {}).get("coverage"),
            interval_calibrated_on=calibrated_on(calibration),
            label_intervals_ml=of_labels, outside=beside.outside, outside_ml=beside.outside_ml)


def segment_ct(ct: CTVolume, progress: Progress | None = None, is_cancelled: Callable[[], bool] | None = None,
               **segmenter) -> Segmentation:
    """Segmenter(**segmenter).apply(ct, progress, is_cancelled), for a single scan."""
    return Segmenter(**segmenter).apply(ct, progress, is_cancelled)


def _stop_if(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise Cancelled("Stopped as asked; nothing was written.")
