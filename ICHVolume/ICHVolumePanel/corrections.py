"""What a clinician entered or corrected, apart from the mask itself, and what follows from it."""

import json
from dataclasses import asdict, dataclass, fields, replace
from math import isfinite

from ICHVolumeLib.anatomy.mass_effect import with_dragged_line
from ICHVolumeLib.clinical.scores import check_inputs
from ICHVolumeLib.core.errors import InputError
from ICHVolumeLib.core.findings import INFO, Finding
from ICHVolumeLib.core.result import Abc2, ClinicalInputs, MidlineShift, Point, Result
from ICHVolumeLib.measure import abc2_from_lines, abc2_with_axes
from ICHVolumeLib.workflow.make_result import with_abc2

from .translation import tr as _

INFRATENTORIAL, SUPRATENTORIAL = "infratentorial", "supratentorial"
SITES = ("lobar", "deep", INFRATENTORIAL, SUPRATENTORIAL)  # the last one: not infratentorial, else unknown


@dataclass(frozen=True)
class Corrections:
    """None everywhere means automatic or unknown. Lengths mm; lines two RAS points in mm; site one of SITES.

    A and B are corrected by dragging their line (the line is kept) or by typing a length (a_mm, b_mm; it wins).
    """

    a_mm: float | None = None
    b_mm: float | None = None
    c_mm: float | None = None
    a_line_ras: tuple[Point, Point] | None = None
    b_line_ras: tuple[Point, Point] | None = None
    midline_points_ras: tuple[Point, Point, Point] | None = None  # front and rear end, middle structure
    midline_slice: int | None = None  # they lie in it
    ivh: bool | None = None
    site: str | None = None
    age_years: float | None = None
    gcs: int | None = None
    nihss: int | None = None
    oral_anticoagulation: bool | None = None
    cognitive_impairment: bool | None = None

    def changed(self, **values) -> "Corrections":
        """A copy with these values. Raises InputError, in words for the user, when one cannot be."""
        new = replace(self, **values)
        if new.site not in (None, *SITES):
            raise InputError(_("Site {site} is not one of {sites}.").format(site=new.site, sites=", ".join(SITES)))
        for name in ("a_mm", "b_mm", "c_mm"):
            value = getattr(new, name)
            if value is not None and not 0 < value <= 300:
                raise InputError(_("{letter} = {value:g} mm is not possible; enter 1 to 300 mm.").format(
                    letter=name[0].upper(), value=value))
        check_inputs(new.clinical())
        return new

    def without_measured(self) -> "Corrections":
        """Everything that has an automatic value put back to it; what only the clinician knows stays."""
        return replace(self, a_mm=None, b_mm=None, c_mm=None, a_line_ras=None, b_line_ras=None, ivh=None,
                       midline_points_ras=None, midline_slice=None)

    def without_lines(self) -> "Corrections":
        return replace(self, a_mm=None, b_mm=None, a_line_ras=None, b_line_ras=None, midline_points_ras=None,
                       midline_slice=None)

    def clinical(self, scan_age_years: float | None = None) -> ClinicalInputs:
        """For the scores; scan_age_years (from the file) stands in for an age that was not entered."""
        return ClinicalInputs(
            age_years=scan_age_years if self.age_years is None else self.age_years,
            gcs=self.gcs, ivh=self.ivh, nihss=self.nihss,
            infratentorial=None if self.site is None else self.site == INFRATENTORIAL,
            oral_anticoagulation=self.oral_anticoagulation,
            location=None if self.site == SUPRATENTORIAL else self.site,
            cognitive_impairment=self.cognitive_impairment)

    def abc2(self, automatic: Abc2 | None) -> Abc2 | None:
        """ABC/2 with the dragged lines, then the typed lengths."""
        if automatic is None:
            return None
        by_lines = abc2_from_lines(automatic, self.a_line_ras, self.b_line_ras)
        return abc2_with_axes(by_lines, self.a_mm, self.b_mm, self.c_mm)

    def apply(self, automatic: Result, scan_age_years: float | None = None) -> Result:
        """The result with a corrected A, B or C, everything that follows from it, and a finding that says so.

        automatic: make_result with self.clinical(scan_age_years), on the present mask.
        """
        automatic = self._with_midline(automatic)
        abc2 = self.abc2(automatic.abc2)
        if abc2 == automatic.abc2:
            return automatic
        corrected = with_abc2(automatic, abc2, self.clinical(scan_age_years))
        return replace(corrected, findings=[*automatic.findings, _corrected_finding(automatic.abc2, abc2)])

    def _with_midline(self, automatic: Result) -> Result:
        """The shift as drawn, with a finding that says so."""
        measured, points = automatic.midline_shift or MidlineShift(), self.midline_points_ras
        k = measured.slice_index if self.midline_slice is None else self.midline_slice
        if points is None or k is None:
            return automatic
        drawn = with_dragged_line(replace(measured, slice_index=k), points[:2], points[2])
        if drawn.shift_mm is None:
            return automatic
        before = _("not measured") if measured.shift_mm is None else f"{measured.shift_mm:.1f}"
        said = Finding("midline-corrected", INFO, _("The midline shift was corrected by hand: {now:.1f} mm (automatic: "
                                                    "{automatic}).").format(now=drawn.shift_mm, automatic=before))
        return replace(automatic, midline_shift=drawn, findings=[*automatic.findings, said])

    def to_json(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def from_json(cls, text: str) -> "Corrections":
        """What to_json gave; unknown names are left out, and no text means nothing entered.

        Raises ValueError for a text, or a value in it, that cannot be used.
        """
        values = json.loads(text) if text else {}
        if not isinstance(values, dict):
            raise ValueError(f"not an object: {text[:40]}")
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in values.items() if name in known and value is not None}
        try:
            for name in ("a_line_ras", "b_line_ras"):
                if name in values:
                    values[name] = _line(values[name])
            if "midline_slice" in values:
                values["midline_slice"] = int(values["midline_slice"])
            if "midline_points_ras" in values:
                values["midline_points_ras"] = _line(values["midline_points_ras"], 3)
            return cls().changed(**values)
        except (TypeError, AttributeError, InputError) as error:
            raise ValueError(str(error)) from error


def _line(points, count=2):
    line = tuple(tuple(float(value) for value in point) for point in points)
    if [len(point) for point in line] != [3] * count or not all(isfinite(value) for point in line for value in point):
        raise ValueError(f"a line has {count} points of three coordinates in mm")
    return line


def _corrected_finding(automatic, corrected) -> Finding:
    parts = [_("{letter} {now:.1f} mm (automatic {automatic:.1f})").format(
                 letter=letter, now=getattr(corrected, name), automatic=getattr(automatic, name))
             for letter, name in (("A", "a_mm"), ("B", "b_mm"), ("C", "c_mm"))
             if abs(getattr(corrected, name) - getattr(automatic, name)) >= 0.05]
    return Finding("abc2-corrected", INFO, _("ABC/2 was corrected by hand: {what}.").format(
        what=", ".join(parts) or _("lines moved")))
