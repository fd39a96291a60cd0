"""Clinical scores of intracerebral hemorrhage: ICH score, max-ICH and FUNC.

Nothing is guessed: an item nobody entered is unknown and turns the score into a range, never into a silent zero.
The mask may suggest intraventricular blood (and a caller the site); a suggestion is counted, marked "mask", and
leaves the range open until a person confirms it. Boundaries are applied to exact, unrounded values.

Sources: ICH score, Hemphill 2001, 10.1161/01.str.32.4.891; max-ICH, Sembill 2017, Neurology 89;
FUNC, Rost 2008, 10.1161/STROKEAHA.107.512202.
"""

import math
from dataclasses import dataclass, replace

from ..core.errors import InputError
from ..core.result import ClinicalInputs, Score

LIMIT_ML = 30.0
LOBAR, DEEP, INFRATENTORIAL = "lobar", "deep", "infratentorial"
LOCATIONS = (LOBAR, DEEP, INFRATENTORIAL)
ENTERED, MASK, UNKNOWN = "entered", "mask", "unknown"

# Deaths within 30 days in Hemphill's 152 patients: score -> (percent, Wilson 95 % interval in percent).
# 0/26, 4/32, 7/27, 23/32, 28/29 and 6/6 patients; nobody had a score of 6.
MORTALITY_30D = {0: (0.0, (0.0, 13.0)), 1: (13.0, (5.0, 28.0)), 2: (26.0, (13.0, 45.0)),
                 3: (72.0, (55.0, 84.0)), 4: (97.0, (83.0, 99.0)), 5: (100.0, (61.0, 100.0))}

CARE_NOTE = ("Not for limiting care: guidelines ask to defer prognosis for 48-72 hours "
             "(10.1007/s12028-023-01854-7).")
_SIX_NOTE = "A score of 6 was not observed in the original patients, so no mortality is given for it."


@dataclass(frozen=True)
class _Item:
    """One line of a score: points is None while open; lowest and highest points still possible."""

    value: object
    source: str
    points: int | None
    low: int
    high: int



def ich_score(inputs: ClinicalInputs, volume_ml: float | None, ivh_in_mask: bool | None,
              abc2_ml: float | None = None, interval_ml: tuple[float, float] | None = None,
              infratentorial_suggested: bool | None = None) -> Score:
    """The ICH score, 0-6, with 30-day mortality in percent.

    volume_ml: the parenchymal hematoma (ICH label), None when unknown. interval_ml: its uncertainty; when it
        crosses 30 mL the range covers both sides.
    ivh_in_mask, infratentorial_suggested: counted where the clinician has not answered, marked "mask".
    abc2_ml: when it falls on the other side of 30 mL, `alternative` holds the score by ABC/2.
    Score.score is None while any item is unknown; Score.range covers unknown, suggested and uncertain items.
    Raises InputError for values that cannot be (GCS 2 or 16, age -1, a negative volume, ...).
    """
    check_inputs(inputs)
    _check_volumes(volume_ml, abc2_ml, interval_ml)
    items = {
        "gcs": _entered(inputs.gcs, _gcs_points, (0, 2)),
        "volume_ml": _volume(volume_ml, interval_ml, [_reaches_30_ml], (0, 1)),
        "ivh": _suggested(inputs.ivh, ivh_in_mask),
        "infratentorial": _suggested(_is_infratentorial(inputs), infratentorial_suggested),
        "age_years": _entered(inputs.age_years, lambda age: int(age >= 80), (0, 1)),
    }
    by_volume = _ich_score_of(items)
    if volume_ml is None or abc2_ml is None or _reaches_30_ml(volume_ml) == _reaches_30_ml(abc2_ml):
        return by_volume
    by_abc2 = _ich_score_of({**items, "volume_ml": _volume(abc2_ml, None, [_reaches_30_ml], (0, 1))})
    names = ("score", "range", "mortality_30d_percent", "mortality_30d_ci95", "mortality_30d_range")
    alternative = {"method": "ABC/2", "volume_ml": float(abc2_ml), **{name: getattr(by_abc2, name) for name in names}}
    sides = f"Voxel volume ({volume_ml:.1f} mL) and ABC/2 ({abc2_ml:.1f} mL) fall on different sides of 30 mL."
    return replace(by_volume, alternative=alternative, note=f"{sides} {by_volume.note}")


def max_ich(inputs: ClinicalInputs, volume_ml: float | None, ivh_in_mask: bool | None,
            interval_ml: tuple[float, float] | None = None, location_suggested: str | None = None) -> Score:
    """The max-ICH score, 0-9 for a bleed with one site of origin (10 needs a lobar and a non-lobar one).

    Arguments and errors as in ich_score. The volume counts from 30 mL (lobar) or 10 mL (elsewhere); the location
    has no points of its own. location_suggested: one of LOCATIONS, counted where the clinician has not answered.
    """
    check_inputs(inputs)
    _check_volumes(volume_ml, None, interval_ml)
    location = _suggested_location(inputs, location_suggested)
    tables = [lambda ml, limit=limit: int(ml >= limit) for limit in
              ((10.0, 30.0) if location.source != ENTERED else (30.0,) if location.value == LOBAR else (10.0,))]
    counted = {LOBAR: tables[-1:], None: tables}.get(location.value, tables[:1])
    items = {
        "nihss": _entered(inputs.nihss, lambda nihss: _passed(nihss, 7, 14, 21), (0, 3)),
        "age_years": _entered(inputs.age_years, lambda age: _passed(age, 70, 75, 80), (0, 3)),
        "ivh": _suggested(inputs.ivh, ivh_in_mask),
        "oral_anticoagulation": _entered(inputs.oral_anticoagulation, int, (0, 1)),
        "volume_ml": _volume(volume_ml, interval_ml, tables, (0, 1), counted),
        "location": replace(location, points=0, low=0, high=0),
    }
    return _sum("max-ICH", items, f"Predicts functional outcome after 12 months. {CARE_NOTE}")


def func(inputs: ClinicalInputs, volume_ml: float | None, interval_ml: tuple[float, float] | None = None,
         location_suggested: str | None = None) -> Score:
    """The FUNC score, 0-11; higher is better (functional independence at 90 days). Arguments as in max_ich."""
    check_inputs(inputs)
    _check_volumes(volume_ml, None, interval_ml)
    items = {
        "volume_ml": _volume(volume_ml, interval_ml, [lambda ml: 4 if ml < 30 else 2 if ml <= 60 else 0], (0, 4)),
        "age_years": _entered(inputs.age_years, lambda age: 2 - _passed(age, 70, 80), (0, 2)),
        "location": _suggested_location(inputs, location_suggested),
        "gcs": _entered(inputs.gcs, lambda gcs: 2 if gcs >= 9 else 0, (0, 2)),
        "cognitive_impairment": _entered(inputs.cognitive_impairment, lambda impaired: int(not impaired), (0, 1)),
    }
    return _sum("FUNC", items, f"Higher is better: functional independence after 90 days. {CARE_NOTE}")


def not_applicable(score: Score, why: str) -> Score:
    """The same score without a number, for a patient it was not made for; why: a clause without its full stop."""
    return replace(score, score=None, mortality_30d_percent=None, mortality_30d_ci95=None, mortality_30d_range=None,
                   alternative=None, note=f"{why}: the score does not apply.", applies=False)


def gcs_total(eye: int, verbal: int, motor: int) -> int:
    """Glasgow Coma Scale from its parts: eye 1-4, verbal 1-5, motor 1-6. Raises InputError outside of these."""
    for name, value, highest in (("eye", eye, 4), ("verbal", verbal, 5), ("motor", motor, 6)):
        _check_whole(f"GCS {name} response", value, 1, highest)
    return int(eye + verbal + motor)


def check_inputs(inputs: ClinicalInputs) -> None:
    """Raises InputError, naming the item and what is allowed, when an entered value cannot be."""
    if inputs.gcs is not None:
        _check_whole("GCS", inputs.gcs, 3, 15)
    if inputs.nihss is not None:
        _check_whole("NIHSS", inputs.nihss, 0, 42)
    if inputs.age_years is not None and not (_is_number(inputs.age_years) and 0 <= inputs.age_years <= 130):
        raise InputError(f"Age {inputs.age_years} is not possible; enter 0 to 130 years, or leave it unknown.")
    if inputs.location not in (None, *LOCATIONS):
        raise InputError(f"Location {inputs.location!r} is not known; use {', '.join(LOCATIONS)}, or leave it unknown.")
    for name in ("infratentorial", "ivh", "oral_anticoagulation", "cognitive_impairment"):
        if getattr(inputs, name) not in (None, True, False):
            raise InputError(f"{name} = {getattr(inputs, name)!r}: answer yes or no, or leave it unknown.")
    by_location = None if inputs.location is None else inputs.location == INFRATENTORIAL
    if None not in (by_location, inputs.infratentorial) and by_location != inputs.infratentorial:
        answer = "yes" if inputs.infratentorial else "no"
        raise InputError(f"Infratentorial origin is {answer!r} but the location is {inputs.location!r}; "
                         "correct one of the two.")


def _gcs_points(gcs):
    return 2 if gcs <= 4 else 1 if gcs <= 12 else 0


def _reaches_30_ml(volume_ml):
    return int(volume_ml >= LIMIT_ML)


def _passed(value, *limits):
    """How many of the limits the value reaches."""
    return sum(value >= limit for limit in limits)


def _location(inputs):
    return inputs.location or (INFRATENTORIAL if inputs.infratentorial else None)


def _is_infratentorial(inputs):
    return inputs.location == INFRATENTORIAL if inputs.location else inputs.infratentorial


def _entered(value, points_of, possible):
    """An item that only a person can answer."""
    if value is None:
        return _Item(None, UNKNOWN, None, *possible)
    points = points_of(value)
    return _Item(value, ENTERED, points, points, points)


def _suggested(entered, suggestion):
    """A yes/no item of one point: the clinician's answer, else a suggestion that leaves the range open."""
    if entered is not None or suggestion is None:
        return _entered(entered, int, (0, 1))
    return _Item(bool(suggestion), MASK, int(suggestion), 0, 1)


_FUNC_POINTS = {LOBAR: 2, DEEP: 1, INFRATENTORIAL: 0}


def _suggested_location(inputs, suggestion):
    """The location with FUNC's points: the clinician's answer, else a suggestion that leaves the range open."""
    possible = (1, 2) if inputs.infratentorial is False else (0, 2)
    location = _location(inputs)
    fits = inputs.infratentorial is None or inputs.infratentorial == (suggestion == INFRATENTORIAL)
    if location is not None or suggestion is None or not fits:  # an answer of yes or no may exclude the suggestion
        return _entered(location, _FUNC_POINTS.get, possible)
    return _Item(suggestion, MASK, _FUNC_POINTS[suggestion], *possible)


def _volume(volume_ml, interval_ml, tables, possible, counted=None):
    """Points of the measured volume; `tables` are the rules that may apply (two while a location is not confirmed),
    `counted` those that give the points, all if None."""
    if volume_ml is None:
        return _Item(None, UNKNOWN, None, *possible)
    points = {table(volume_ml) for table in counted or tables}
    reachable = points | {table(end) for table in tables for end in (volume_ml, *(interval_ml or ()))}
    return _Item(float(volume_ml), MASK, points.pop() if len(points) == 1 else None, min(reachable), max(reachable))


def _sum(name, items, note):
    points = [item.points for item in items.values()]
    names = {"ivh": "IVH", "infratentorial": "infratentorial origin", "location": "location"}
    waiting = [item for item in names if item in items and items[item].source == MASK]
    if waiting:
        named = " and ".join(names[item] for item in waiting)
        note = f"Suggested by the mask, please confirm: {named}. {note}"
    return Score(name=name,
                 inputs={item: {"value": entry.value, "points": entry.points, "source": entry.source}
                         for item, entry in items.items()},
                 score=None if None in points else sum(points),
                 range=(sum(item.low for item in items.values()), sum(item.high for item in items.values())),
                 note=note)


def _ich_score_of(items):
    total = _sum("ICH score", items, CARE_NOTE)
    low, high = total.range
    percent, interval = MORTALITY_30D.get(total.score, (None, None))
    over_range = (MORTALITY_30D[low][0], MORTALITY_30D[min(high, 5)][0]) if low in MORTALITY_30D else None
    note = f"{_SIX_NOTE} {total.note}" if high == 6 else total.note
    return replace(total, mortality_30d_percent=percent, mortality_30d_ci95=interval, mortality_30d_range=over_range,
                   note=note)


def _check_volumes(volume_ml, abc2_ml, interval_ml):
    for value in (volume_ml, abc2_ml, *(interval_ml or ())):
        if value is not None and not (_is_number(value) and value >= 0):
            raise InputError(f"A volume of {value} mL is not possible; measure the mask again.")


def _check_whole(name, value, low, high):
    if not (_is_number(value) and value == int(value) and low <= value <= high):
        raise InputError(f"{name} {value} is not possible; enter a whole number from {low} to {high}, "
                         "or leave it unknown.")


def _is_number(value):
    return not isinstance(value, (str, bool)) and math.isfinite(value)
