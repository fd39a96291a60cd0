"""What a follow-up comes to: plain values of two scans of one patient. compare.json holds these names
("ichvolume-compare/1"); unknown values are None. Volumes are mL, lengths mm, points RAS mm."""

from dataclasses import asdict, dataclass, field

from .findings import Finding
from .result import VolumeMl

SCHEMA = "ichvolume-compare/1"


@dataclass(frozen=True)
class Expansion:
    """Differences are second scan minus first; negative when blood was cleared. Percent is None from zero.

    expanded: ICH grew by more than 6 mL or more than 33 %.
    expanded_revised: that, or new intraventricular blood, or IVH growth of at least 1 mL.
    """

    ich_ml: float
    ich_percent: float | None
    ivh_ml: float
    new_ivh: bool
    expanded: bool
    expanded_revised: bool


@dataclass(frozen=True)
class ScanOfPair:
    """scanned_at: ISO 8601, empty where not known; slab_height_mm: the median, lowest and highest; mask_origin: see
    core.result.MaskVersion, empty in files of earlier versions; mask_sha256: of mask.seg.nrrd as it was compared."""

    source: str
    series_uid: str
    scanned_at: str
    volume_ml: VolumeMl
    slices: int
    slab_height_mm: tuple[float, float, float]
    slice_thickness_mm: float | None
    tilt_deg: float
    mask_origin: str
    mask_sha256: str
    model: str


@dataclass(frozen=True)
class RegistrationQuality:
    """How well the later scan's head was brought onto the earlier one's; see imaging.registration.

    later_to_earlier_ras: 4x4 rows, a point of the later scan to the same place of the head in the earlier scan.
    """

    good: bool
    correlation: float
    skull_dice: float
    overlap: float
    rotation_deg: float
    later_to_earlier_ras: list[list[float]]


@dataclass(frozen=True)
class Comparison:
    """expansion: later minus earlier. residual_ich_ml and _percent: what is left of the earlier ICH, where it is less
    (evacuated or resolved); else None. patient: "same", "different", "conflict" or "cannot tell"."""

    earlier: ScanOfPair
    later: ScanOfPair
    hours_between: float | None
    expansion: Expansion
    total_ml: float
    total_percent: float | None
    ivh_percent: float | None
    residual_ich_ml: float | None
    residual_ich_percent: float | None
    patient: str
    patient_why: str
    registration: RegistrationQuality
    findings: list[Finding]
    software: str
    files: dict[str, str] = field(default_factory=dict)
    schema: str = SCHEMA

    def to_dict(self) -> dict:
        """JSON-ready nested dict; `schema` comes first."""
        values = asdict(self)
        return {"schema": values.pop("schema"), **values}


def percent_of_change(before: float, after: float) -> float | None:
    """None from zero."""
    return 100 * (after - before) / before if before > 0 else None
