"""What one case comes to: plain values, no images. `Result` is the only thing report, table and files read.

Fixed names of result.json ("ichvolume-result/1") are the field names here; unknown values are None.
Volumes are mL, lengths mm, points RAS mm.
"""

from dataclasses import asdict, dataclass, field

from .findings import Finding
from .labels import ICH, IVH
from .plain import from_plain

SCHEMA = "ichvolume-result/1"
DERIVED = ("interval_ich_ml", "interval_ivh_ml", "abc2_minus_ich_ml", "abc2_minus_ich_percent", "marked_slices",
           "mask_origin")
Point = tuple[float, float, float]


@dataclass(frozen=True)
class ClinicalInputs:
    """What only the clinician knows. None means unknown and is never counted as zero points.

    ivh None means "take it from the mask" for display, marked as suggested until confirmed.
    location is "lobar", "deep" or "infratentorial" (max-ICH and FUNC).
    """

    age_years: float | None = None
    gcs: int | None = None
    infratentorial: bool | None = None
    ivh: bool | None = None
    nihss: int | None = None
    oral_anticoagulation: bool | None = None
    location: str | None = None
    cognitive_impairment: bool | None = None


@dataclass(frozen=True)
class VolumeMl:
    """total = ich + ivh by true slab heights; paper_formula uses one SliceThickness for all (paper eq. 1)."""

    total: float
    ich: float
    ivh: float
    paper_formula: float


@dataclass(frozen=True)
class Abc2:
    """ABC/2 of the ICH label and its variants; the two lines are drawn on slice `slice_index` (k)."""

    a_mm: float
    b_mm: float
    c_mm: float
    c_kothari_mm: float
    slice_index: int
    coniglobus_ml: float
    kothari_ml: float
    abc3_ml: float
    two_thirds_sh_ml: float
    a_line_ras: tuple[Point, Point]
    b_line_ras: tuple[Point, Point]
    shape_class: str  # "regular", "irregular" or "multilobular"
    expected_error_percent: float
    largest_area_mm2: float = 0.0  # S of 2/3 S h
    pieces: int = 1  # hematomas summed in the mL; lengths and lines are the largest one's


@dataclass(frozen=True)
class Component:
    """One 26-connected piece of the mask, largest first."""

    label: str  # "ICH" or "IVH"
    volume_ml: float
    mean_hu: float
    extent_mm: tuple[float, float, float]  # along i, j and the slice normal
    centroid_ras: Point
    slice_range: tuple[int, int]  # first and last k
    abc2_ml: float | None  # Coniglobus of this piece alone; None for IVH
    counted_in_abc2: bool  # pieces under 0.1 mL are listed, not summed


@dataclass(frozen=True)
class Score:
    """A clinical score. `score` is None while an item is unknown; `range` (lowest, highest) always stands.

    applies is False without a bleed in the brain tissue (nothing marked, or ventricular blood only): the scores were
    made for patients with one, `score` is then None and `note` says why; no range is to be shown.
    """

    name: str
    inputs: dict  # item -> {"value": ..., "points": int | None, "source": "entered" | "mask" | "unknown"}
    score: int | None
    range: tuple[int, int]
    mortality_30d_percent: float | None = None  # ICH score only, and only when score is known
    mortality_30d_ci95: tuple[float, float] | None = None
    mortality_30d_range: tuple[float, float] | None = None  # over the range of possible scores
    alternative: dict | None = None  # the other score when ABC/2 falls on the other side of 30 mL
    note: str = ""
    applies: bool = True


@dataclass(frozen=True)
class Geometry:
    slices: int
    rows: int
    columns: int
    pixel_spacing_mm: tuple[float, float]
    slab_heights_mm: list[float]
    tilt_deg: float
    slice_thickness_mm: float | None = None  # the scanner's tag, the most common one; volumes never use it
    first_slice_lowest: bool | None = None  # whether slice 1 is the one nearest to the feet; None in older files


@dataclass(frozen=True)
class Provenance:
    """How the mask came to be: engine "openvino", "torch" or "none" (a mask given by the user)."""

    software: str
    model: str = ""
    model_sha256: str = ""
    training_data: str = ""
    engine: str = "none"
    device: str = "none"
    seconds: dict = field(default_factory=dict)  # step name -> seconds
    versions: dict = field(default_factory=dict)  # package -> version
    series_uid: str = ""
    source: str = ""
    clean_up: list = field(default_factory=list)  # one entry per step: name, threshold_mm3, removed_ml, added_ml
    scanned_at: str = ""  # ISO 8601, the scanner's own time; empty in a de-identified series
    patient_key: str = ""  # the same for all scans of a patient, see io.patient_key; empty unless asked for


@dataclass(frozen=True)
class MaskVersion:
    """One mask of a case: the model's first, then what people made of it; unknown values are None.

    origin: "model", "edited" (a corrected mask of the model) or "foreign" (drawn by hand or by another program);
    made_at: ISO 8601 with the time zone, when it was measured; mask_sha256: of the mask file; voxels_added and
    voxels_removed: against the version before, whatever the labels.
    """

    origin: str
    made_at: str
    mask_sha256: str
    volume_total_ml: float
    volume_ich_ml: float
    volume_ivh_ml: float
    voxels_added: int | None = None
    voxels_removed: int | None = None


@dataclass(frozen=True)
class SiteSuggestion:
    """Where the bleed probably lies, for a person to confirm: see anatomy.site. It follows from the place inside the
    skull; nothing was recognised in the brain itself.

    side: "left", "right" (the patient's), "midline" or "both"; site: "lobar", "deep", "brain stem", "cerebellum" or
    "ventricle" (no blood in brain tissue); structure: which part of it, "putamen", "thalamus", "caudate", "pons",
    "midbrain", "medulla", or empty. infratentorial: None for ventricular blood alone.
    certainty: 0 to 1, the share of small displacements of the head's frame, as large as its error, under which side and
    site stay the same; certainty_word: "high", "moderate" or "low".
    shares: region -> share of the ICH (of the IVH where there is no ICH); they sum to 1. fit_mm: HeadFrame.fit_mm.
    """

    side: str
    site: str
    structure: str
    infratentorial: bool | None
    certainty: float
    certainty_word: str
    shares: dict[str, float]
    fit_mm: float

    @property
    def location(self) -> str | None:
        """"lobar", "deep" or "infratentorial", as max-ICH and FUNC name it; None for ventricular blood alone."""
        if self.infratentorial is None:
            return None
        return "infratentorial" if self.infratentorial else self.site


@dataclass(frozen=True)
class MidlineShift:
    """How far the middle of the brain lies from the ideal midline, in the slice where that is most.

    shift_mm: perpendicular, within the slice; None: not measured, reason says why. direction: "left" or "right" (the
    patient's), empty at 0.0 mm. ideal_line_ras: front and rear end of the falx; point_ras: the middle structure;
    foot_ras: where its perpendicular meets the line. landmark: "septum pellucidum", "third ventricle" or "drawn by
    hand".
    quality: 0 to 1, how clearly the middle structure was seen.
    """

    shift_mm: float | None = None
    direction: str = ""
    slice_index: int | None = None
    ideal_line_ras: tuple[Point, Point] | None = None
    point_ras: Point | None = None
    foot_ras: Point | None = None
    landmark: str = ""
    quality: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Ventricles:
    """Volume of the lateral ventricles, fluid and marked blood; None: not measured, reason says why.

    quality: 0 to 1, the share of it that lies where the head's frame leads one to expect it.
    """

    total_ml: float | None = None
    left_ml: float | None = None
    right_ml: float | None = None
    quality: float = 0.0
    reason: str = ""


def clean_up_change_ml(step: dict) -> tuple[float, float]:
    """(removed, added) mL of one entry of Provenance.clean_up; files of before have both in one number, negative where
    more was added than removed."""
    removed_ml, added_ml = step["removed_ml"], step.get("added_ml")
    return (removed_ml, added_ml) if added_ml is not None else (max(removed_ml, 0.0), max(-removed_ml, 0.0))


def ich_interval_ml(interval_ml: tuple[float, float] | None, ivh_ml: float,
                    label_intervals_ml: dict[str, tuple[float, float]] | None = None) -> tuple[float, float] | None:
    """The interval of the parenchymal volume, which alone the scores count: its own, or the total's without the marked
    ventricular blood where the weights were not calibrated for ICH."""
    own = (label_intervals_ml or {}).get(ICH.name)
    return own or interval_ml and (max(0.0, interval_ml[0] - ivh_ml), max(0.0, interval_ml[1] - ivh_ml))


@dataclass(frozen=True)
class Result:
    found: bool
    volume_ml: VolumeMl
    interval_ml: tuple[float, float] | None
    abc2: Abc2 | None
    components: list[Component]
    ich_score: Score
    max_ich: Score
    func: Score
    geometry: Geometry
    findings: list[Finding]
    provenance: Provenance
    automatic_volume_ml: VolumeMl | None = None  # what the model said, once a person has edited the mask
    surface: dict | None = None  # the 3D model written beside: file, space, triangles, volume_ml (of the mesh)
    interval_coverage: float | None = None  # share of cases whose true volume interval_ml holds (0.9)
    interval_calibrated_on: str = ""  # what the patients were, "synthetic patients"; empty without an interval
    label_intervals_ml: dict[str, tuple[float, float]] = field(default_factory=dict)  # "ICH", "IVH" -> its own interval
    outside_brain_ml: float | None = None  # blood inside the skull beside the brain, not counted; None: not looked for
    history: list[MaskVersion] = field(default_factory=list)  # the last one is the mask of this result
    site: SiteSuggestion | None = None  # None: nothing marked, or the skull could not be fitted well
    midline_shift: MidlineShift | None = None  # None: nothing marked, or a file from before it was measured
    ventricles: Ventricles | None = None  # likewise
    files: dict[str, str] = field(default_factory=dict)  # name -> SHA-256 of the files written with this result
    volume_formula: str = "sum over slices of area x local slab height"
    schema: str = SCHEMA

    @property
    def is_ivh_only(self) -> bool:
        """Blood in the ventricles and none marked in the brain tissue."""
        return self.volume_ml.ivh > 0 and not self.volume_ml.ich > 0

    @property
    def is_probably_noise(self) -> bool:
        """What is marked is hardly denser than the brain beside it: see quality.mask_checks."""
        return any(finding.code == "probably-noise" for finding in self.findings)

    @property
    def interval_ich_ml(self) -> tuple[float, float] | None:
        """See `ich_interval_ml`; None without any ICH."""
        if not self.volume_ml.ich > 0:
            return None
        return ich_interval_ml(self.interval_ml, self.volume_ml.ivh, self.label_intervals_ml)

    @property
    def interval_ivh_ml(self) -> tuple[float, float] | None:
        """None without any IVH, and where the weights were not calibrated for it."""
        return self.label_intervals_ml.get(IVH.name) if self.volume_ml.ivh > 0 else None

    @property
    def abc2_minus_ich_ml(self) -> float | None:
        """How far ABC/2 lies above the measured volume of the ICH, which it estimates."""
        return self.abc2.coniglobus_ml - self.volume_ml.ich if self.abc2 else None

    @property
    def abc2_minus_ich_percent(self) -> float | None:
        difference_ml = self.abc2_minus_ich_ml
        return None if difference_ml is None or not self.volume_ml.ich > 0 else 100 * difference_ml / self.volume_ml.ich

    @property
    def marked_slices(self) -> tuple[int, int] | None:
        """The lowest and the highest slice with a mark, counted from 1 as in the report."""
        ends = [k + 1 for piece in self.components for k in piece.slice_range]
        return (min(ends), max(ends)) if ends else None

    @property
    def mask_origin(self) -> str:
        """See MaskVersion.origin."""
        if self.provenance.engine != "none":
            return "model"
        return "edited" if self.automatic_volume_ml else "foreign"

    def to_dict(self) -> dict:
        """JSON-ready nested dict; `schema` comes first, what follows from other fields (DERIVED) last."""
        values = asdict(self)
        return {"schema": values.pop("schema"), **values, **{name: getattr(self, name) for name in DERIVED}}

    @classmethod
    def from_dict(cls, values: dict) -> "Result":
        """What to_dict gave, also after a way through JSON. Raises KeyError or TypeError for anything else."""
        return from_plain(cls, values)
