"""One hard input: how it is made, what must come of it, and what does come of it.

Every cases_*.py of this folder has a list CASES of HardInput; the runner test and table.py take them all.
A new case needs a name, a function that writes its files into an empty folder, and what is expected:

    HardInput("all slices 1024 too high", build, "refused", words="no air")
    HardInput("gantry tilted by 12 degrees", build, "right", true_ml=BALL_ML)
    HardInput("pixels compressed with loss", build, "warned:lossy-compression", true_ml=BALL_ML)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from math import pi
from pathlib import Path
from tempfile import TemporaryDirectory
from weakref import WeakKeyDictionary

import numpy as np

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.synthetic.dicom_series import write_dicom_series
from ICHVolumeLib.synthetic.sample import Sample, make_sample

BALL_HU = 2000  # denser than the sample's skull: no voxel but the ball's reaches MARKED_FROM_HU
MARKED_FROM_HU = 1800
BALL_RADIUS_MM = 25.0
BALL_ML = 4 / 3 * pi * BALL_RADIUS_MM**3 / 1000  # 65.4 mL
WITHIN = 0.01  # of the true volume


@dataclass(frozen=True)
class HardInput:
    """build(folder) writes into an empty folder and returns the path to read, or (path of the CT, path of the mask);
    a CT that many cases share may be given as it was read.

    expected: "refused", "right" or "warned:<code>" (a finding of that code). true_ml: the volume, where it can be
    right; held to 1 %. words: what the refusal or the finding must say. series_uid: as for --series.
    slow: another case of the same kind stands in for it in `make test`.
    Without a mask the voxels from MARKED_FROM_HU are measured, which are those of ball_ct's ball.
    """

    name: str
    build: Callable[[Path], "Path | tuple[Path, Path]"]
    expected: str
    words: str = ""
    true_ml: float | None = None
    series_uid: str | None = None
    slow: bool = False


@dataclass(frozen=True)
class Outcome:
    """observed: "refused", or "measured"; sentence: the refusal, or the finding that was expected."""

    observed: str
    volume_ml: float | None
    findings: tuple[Finding, ...]
    sentence: str

    def meets(self, case: HardInput) -> bool:
        if case.words.lower() not in self.sentence.lower():
            return False
        if case.expected == "refused" or self.observed == "refused":
            return case.expected == self.observed
        if case.true_ml is not None and abs(self.volume_ml - case.true_ml) > WITHIN * case.true_ml:
            return False
        return case.expected == "right" or _code(case) in [finding.code for finding in self.findings]

    @property
    def words(self) -> str:
        """What came of it, for the table."""
        if self.observed == "refused":
            return "refused"
        warned = sorted({finding.code for finding in self.findings if finding.severity == "warning"})
        return f"{self.volume_ml:.1f} mL" + (f", warned: {', '.join(warned)}" if warned else "")


def outcome_of(case: HardInput, folder: Path) -> Outcome:
    """Build the case in `folder`, read it, check it and measure it, as `ichvolume measure` does but without writing."""
    from ICHVolumeLib.io.masks import read_mask_and_findings
    from ICHVolumeLib.io.read_ct import read_ct
    from ICHVolumeLib.quality.checks import check_ct
    from ICHVolumeLib.workflow.case import make_result, refuse_unusable

    built = case.build(folder)
    ct_path, mask_path = built if isinstance(built, tuple) else (built, None)
    try:
        ct = ct_path if isinstance(ct_path, CTVolume) else read_ct(ct_path, case.series_uid)
        if ct not in _noticed:
            _noticed[ct] = check_ct(ct)
        noticed = _noticed[ct]
        refuse_unusable(ct_path, noticed)
        mask, more = read_mask_and_findings(mask_path, ct) if mask_path else \
            ((ct.hu >= MARKED_FROM_HU).astype(np.uint8), [])
        result = make_result(ct, mask, noticed=noticed + more, **_anatomy(ct, mask))
    except InputError as error:
        return Outcome("refused", None, (), str(error).replace(f"{folder}", "").lstrip("/"))
    sentence = next((finding.message for finding in result.findings if finding.code == _code(case)), "")
    return Outcome("measured", result.volume_ml.total, tuple(result.findings), sentence)


def _code(case) -> str:
    return case.expected.partition(":")[2]


@cache
def sample(**options) -> Sample:
    """The sample patient (a lobar bleed of 42 mL) on 128 x 128 pixels; options as for make_sample. Do not write into
    its arrays."""
    return make_sample(**{"seed": 3, "size": 128, **options})


@cache
def ball_ct(**options) -> CTVolume:
    """The sample without its bleed, with a ball of BALL_ML put into its voxels by their position in the world."""
    ct = sample(bleed=False, **options).ct
    return with_ball(ct)


def _anatomy(ct, mask) -> dict:
    """What make_result finds out by itself, from voxels, places and marks alone: once for cases that differ in the rest
    of their files."""
    from ICHVolumeLib.anatomy.head_frame import fit_head_frame
    from ICHVolumeLib.anatomy.mass_effect import measure_mass_effect

    if not mask.any():
        return {}
    scan = _digest(ct.hu, ct.ijk_to_ras, ct.slice_origins_ras)
    if scan not in _frames:
        _frames[scan] = fit_head_frame(ct)
    if (scan, _digest(mask)) not in _mass_effects:
        _mass_effects[scan, _digest(mask)] = measure_mass_effect(ct, mask, _frames[scan])
    return {"head_frame": _frames[scan], "mass_effect": _mass_effects[scan, _digest(mask)]}


def _digest(*arrays) -> bytes:
    return sha256(b"".join(repr((array.shape, array.dtype)).encode() + array.tobytes() for array in arrays)).digest()


_frames, _mass_effects = {}, {}
_noticed: WeakKeyDictionary[CTVolume, list[Finding]] = WeakKeyDictionary()
_written: WeakKeyDictionary[CTVolume, dict[str, bytes]] = WeakKeyDictionary()


def write_series(ct: CTVolume, folder: Path) -> list[Path]:
    """write_dicom_series, once for each scan: from then on the same files are copied."""
    if ct not in _written:
        with TemporaryDirectory() as first:
            _written[ct] = {path.name: path.read_bytes() for path in write_dicom_series(ct, Path(first))}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _written[ct].items():
        (folder / name).write_bytes(content)
    return [folder / name for name in _written[ct]]


def with_ball(ct: CTVolume) -> CTVolume:
    """A copy with the ball in the middle of the scan."""
    k, j, i = np.meshgrid(*(np.arange(size) for size in ct.hu.shape), indexing="ij")
    middle = ct.voxel_to_ras((np.array(ct.hu.shape) - 1) / 2)
    inside = ((ct.voxel_to_ras(np.stack([k, j, i], -1)) - middle) ** 2).sum(-1) <= BALL_RADIUS_MM**2
    return replace(ct, hu=np.where(inside, np.int16(BALL_HU), ct.hu))
