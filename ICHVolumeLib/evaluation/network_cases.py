"""A network on real scans: their masks are made into OUT/masks, then scored as those of any program are.

The scans lie in a folder, by the names of the truths, or are a data set that the registry knows, whose truths are
written to OUT/truth (1 ICH, 2 IVH, 3 outside the brain, 255 unsure). A mask that OUT has of the same scan and weights
is not made again.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.ct_volume import CTVolume
from ..core.errors import ICHVolumeError, InputError
from ..datasets.case import DatasetCase
from ..datasets.registry import load_cases
from ..io.images import is_image_name
from ..io.nrrd import write_nrrd
from ..io.read_ct import read_ct
from ..io.result_files import MASK_NRRD, RESULT_JSON
from ..network.registry import find_network
from ..segmentation.segmenter import Segmenter
from ..workflow.case import segment_ct
from ..workflow.exporters import EXPORTERS
from .mask_pairs import MaskCase, MaskCases, Problem, masks_in, one_scan_each, scans_in

MASKS, TRUTH, MADE_OF = "masks", "truth", "made_of.txt"
TRUTH_LABELS = {"1": "ich", "2": "ivh", "3": "outside", "255": "unsure"}  # of the truths that are written here
WRITTEN = tuple(one for one in EXPORTERS if one.file_name in (MASK_NRRD, RESULT_JSON))

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class _Scan:
    """One scan with its truth, read when it is asked for."""

    name: str
    patient: str
    ct: CTVolume
    truth: Path
    file: Path | None = None
    known: dict[str, str] = field(default_factory=dict)


def network_segmenter(weights: Path | None, network: str | None, device: str = "auto") -> Segmenter:
    """The network of these weights. Raises InputError where they are of another network than the one that is named."""
    if network:
        find_network(network)
    segmenter = Segmenter(device, weights)
    found = segmenter.weights.config.network
    if network and found != network:
        where = weights or "the weights that come with ICHVolume"
        raise InputError(f"{where}: weights of {found}, not of {network}; give those of {network} with --weights.")
    return segmenter


def model_name(segmenter: Segmenter) -> str:
    """ "attfocusnet 0.3.0": what rows and tables call the model."""
    return f"{segmenter.weights.config.network} {segmenter.weights.version}"


def cases_of_scans(segmenter: Segmenter, scans: Path, truth: Path, out: Path, *, several_scans: bool = False,
                   progress: Progress | None = None) -> MaskCases:
    """Segment every scan that has a truth of the same name. Raises InputError for folders without scans or truths."""
    truths, problems = masks_in(truth)
    files = scans_in(scans)
    bad = {one.case for one in problems}
    alone = [*((name, f"{name} has a truth but no scan in {scans}; give one of the same name.")
               for name in sorted(truths.keys() - files.keys())),
             *((name, f"{name} has a scan but no truth in {truth}; a scan without blood has an empty mask.")
               for name in sorted(files.keys() - truths.keys()))]
    problems += [Problem(name, sentence) for name, sentence in alone if name not in bad]
    names = sorted((truths.keys() & files.keys()) - bad)
    if not names:
        raise InputError(f"No scan in {scans} has a truth of the same name in {truth}; check the folders.")
    loaded = map(lambda name: _Scan(name, name, read_ct(files[name]), truths[name], files[name]), names)
    return _segmented(segmenter, loaded, names, problems, out, several_scans, progress)


def cases_of_dataset(segmenter: Segmenter, dataset: str, folder: Path, out: Path, *,
                     progress: Progress | None = None) -> MaskCases:
    """Segment every case of a data set that has a truth; a patient may have several."""
    def scan(case: DatasetCase) -> _Scan | None:
        if case.truth is None:
            return None
        source = Path(case.ct.info.source)
        known = {"dataset": dataset, **({"split": case.split} if case.split else {})}
        return _Scan(case.id, case.patient, case.ct, _written_truth(case, out),
                     source if is_image_name(source.name) and source.is_file() else None, known)

    cases = load_cases(dataset, folder)
    found = _segmented(segmenter, map(scan, cases), [], [], out, True, progress)
    if not found.cases and not found.problems:
        raise InputError(f"{folder}: no case of {dataset} has a truth, so nothing can be scored; see "
                         "Resources/Datasets.md.")
    return found


def _segmented(segmenter, scans: Iterator[_Scan | None], names: list[str], problems, out: Path, several_scans: bool,
               progress) -> MaskCases:
    """names: of the scans, where they are known before they are read."""
    model, cases = model_name(segmenter), []
    for done in count():
        if progress:
            progress("Segmenting", done, max(len(names), done))
        try:
            scan = next(scans)
            if scan is not None:
                mask = _mask_of(segmenter, scan, Path(out) / MASKS / scan.name)
                cases.append(MaskCase(scan.name, scan.patient, scan.truth, {model: mask}, scan.file, scan.known))
        except StopIteration:
            break
        except InputError as error:  # another error (no engine) would meet every scan
            name = names[done] if names else f"case {done + 1}"
            problems = [*problems, Problem(name, f"{name}: {error}", model)]
    kept, repeated = one_scan_each(cases, several_scans)
    return MaskCases([model], kept, [*problems, *repeated])


def _mask_of(segmenter: Segmenter, scan: _Scan, folder: Path) -> Path:
    made_of = f"{_content_of(scan.ct)} {segmenter.weights.sha256} {segmenter.weights.threshold:g}\n"
    mask, note = folder / MASK_NRRD, folder / MADE_OF
    try:
        if mask.is_file() and note.is_file() and note.read_text(encoding="utf-8") == made_of:
            return mask
        segment_ct(scan.ct, folder, segmenter, WRITTEN)
        replace_file(note, made_of.encode("utf-8"))
    except OSError as error:
        raise ICHVolumeError(f"Cannot write into {folder} ({error.strerror or error}); make room, and run it again: "
                             "finished masks are kept.") from error
    return mask


def _written_truth(case: DatasetCase, out: Path) -> Path:
    file = Path(out) / TRUTH / f"{case.id}.nrrd"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_nrrd(file, case.truth, case.ct.ijk_to_ras, {})
    return file


def _content_of(ct: CTVolume) -> str:
    whole = hashlib.sha256(np.ascontiguousarray(ct.hu))
    for array in (ct.ijk_to_ras, ct.slice_origins_ras):
        whole.update(np.ascontiguousarray(array, "<f8"))
    return whole.hexdigest()
