"""From the rows of a mask evaluation to its figures, each under the name of how it was averaged."""

from itertools import combinations

from .agreement import volume_agreement
from .mask_rows import TARGETS
from .metrics import concordance
from .model_comparison import bootstrap_by_patient, compare_models, icc_difference
from .overlap import Overlap, empties, per_bleeding_slice, per_case, per_slice_with_empties, pooled, spread
from .strata import strata

SURFACES = ("hd95_mm", "surface_hd95_mm", "surface_dice")
METHODS = {  # name -> (what it is, what it is held against)
    "volume": ("volume of the model's mask", "ICH of the truth"),
    "abc2_coniglobus": ("ABC/2 of the model's mask, C = bleeding slices (Coniglobus)", "ICH of the truth"),
    "abc2_kothari": ("ABC/2 of the model's mask, weighted C (Kothari)", "ICH of the truth"),
    "true_abc2_coniglobus": ("ABC/2 of the true mask, C = bleeding slices (Coniglobus)", "ICH of the truth"),
    "true_abc2_kothari": ("ABC/2 of the true mask, weighted C (Kothari)", "ICH of the truth"),
    "paper_formula": ("the paper's formula (one slice thickness) of the model's mask", "all blood of the truth")}


def figures(rows: list[dict], *, repeats: int, seed: int) -> dict:
    """models: model -> target -> figures; comparison: paired, of every two models (see model_comparison).

    rows: of every model the same cases. ICH and IVH are told apart only where a truth does: without any true IVH the
    one target is "total", and why is said in `targets`.
    """
    models = list(dict.fromkeys(row["model"] for row in rows))
    of_model = {model: [row for row in rows if row["model"] == model] for model in models}
    targets, why = told_apart(rows)
    found = {model: {**{target: target_figures(part, target, repeats=repeats, seed=seed) for target in targets},
                     "volume_methods": volume_methods(part), "intervals": intervals(part),
                     "strata": {target: strata(part, target) for target in targets},
                     "made_by": _made_by(part)}
             for model, part in of_model.items()}
    return {"targets": {"names": list(targets), "why": why}, "models": found,
            "comparison": comparison(of_model, repeats=repeats, seed=seed) if len(models) > 1 else None}


def told_apart(rows: list[dict]) -> tuple[tuple[str, ...], str]:
    """The targets that can be scored, and why."""
    if any(row["targets"]["ivh"]["true_ml"] > 0 for row in rows):
        return tuple(TARGETS), "all blood, ICH and IVH: the truth tells them apart"
    return ("total",), "all blood only: no truth has a voxel of IVH, so it may not tell IVH from ICH"


def target_figures(rows: list[dict], target: str, *, repeats: int, seed: int) -> dict:
    """The figures of one model and one target."""
    scores = [row["targets"][target] for row in rows]
    cases = [_counts(one) for one in scores]
    slices = [Overlap(*one[1:4]) for score in scores for one in score["slices"]]
    in_plane = [one[4] for score in scores for one in score["slices"]]
    slice_count = sum(row["slice_count"] for row in rows)
    two_sided = [one for one in scores if one["ml"] > 0 and one["true_ml"] > 0]
    volume = volume_agreement([one["ml"] for one in scores], [one["true_ml"] for one in scores])
    volume["concordance_ci95"] = _concordance_interval(rows, scores, repeats, seed)
    return {"cases": len(rows), "empties": empties(cases),
            "per_case": {**per_case(cases), **{name: spread(one[name] for one in two_sided) for name in SURFACES}},
            "pooled_over_voxels": pooled(cases),
            "per_bleeding_slice": {**per_bleeding_slice(slices), "hd95_mm": spread(
                mm for one, mm in zip(slices, in_plane, strict=True) if one.true)},
            "per_slice_with_empties": {**per_slice_with_empties(slices, slice_count), "hd95_mm": spread(
                [*in_plane, *[0.0] * (slice_count - len(slices))])},
            "slices": {"all": slice_count, "bleeding": sum(bool(one.true) for one in slices), **empties(slices)},
            "volume": volume}


def _counts(score: dict) -> Overlap:
    return Overlap(score["both_voxels"], score["extra_voxels"], score["missed_voxels"])


def _concordance_interval(rows, scores, repeats, seed):
    columns = [[one[name] for one in scores] for name in ("ml", "true_ml")]
    return bootstrap_by_patient(concordance, columns, [row["patient"] for row in rows], repeats=repeats, seed=seed)


def method_volumes(row: dict) -> dict[str, tuple[float, float]]:
    """Of one row: method -> (measured mL, true mL)."""
    ich, total = row["targets"]["ich"], row["targets"]["total"]
    abc2 = {f"{side}abc2_{kind}": (row[f"{side}abc2"][f"{kind}_ml"], ich["true_ml"])
            for side in ("", "true_") for kind in ("coniglobus", "kothari")}
    return {"volume": (ich["ml"], ich["true_ml"]), **abc2, "paper_formula": (row["paper_formula_ml"], total["true_ml"])}


def volume_methods(rows: list[dict]) -> dict[str, dict]:
    """Agreement of every way to a volume with the truth: what it is, against what, and volume_agreement."""
    volumes = [method_volumes(row) for row in rows]
    return {name: {"what": what, "against": against,
                   **volume_agreement(*zip(*(one[name] for one in volumes), strict=True))}
            for name, (what, against) in METHODS.items()}


def intervals(rows: list[dict]) -> dict | None:
    """How many intervals of the model hold the true total, beside how many should; None where it gives none."""
    given = [row for row in rows if row.get("interval_ml")]
    if not given:
        return None
    held = [row["interval_ml"][0] <= row["targets"]["total"]["true_ml"] <= row["interval_ml"][1] for row in given]
    return {"cases": len(given), "covered": sum(held), "coverage": sum(held) / len(held),
            "nominal": given[0].get("interval_coverage"),
            "calibrated_on": sorted({row.get("interval_calibrated_on") or "" for row in given})}


def comparison(of_model: dict[str, list[dict]], *, repeats: int, seed: int) -> dict:
    """Paired tests of Dice, HD95 and the absolute volume error of all blood, and differences of the ICC."""
    first = next(iter(of_model.values()))
    patients = [row["patient"] for row in first]
    totals = {model: [row["targets"]["total"] for row in rows] for model, rows in of_model.items()}
    values = {"dice": {model: [one["dice"] if one["true_ml"] > 0 else None for one in part]
                       for model, part in totals.items()},
              "hd95_mm": {model: [one["hd95_mm"] if one["true_ml"] > 0 and one["ml"] > 0 else None for one in part]
                          for model, part in totals.items()},
              "absolute_error_ml": {model: [abs(one["ml"] - one["true_ml"]) for one in part]
                                    for model, part in totals.items()}}
    true = [one["true_ml"] for one in totals[next(iter(totals))]]
    volumes = {model: [one["ml"] for one in part] for model, part in totals.items()}
    return {"tests": compare_models(values, patients, repeats=repeats, seed=seed),
            "icc_a1": [{"first": one, "second": other, "icc": icc_difference(
                volumes[one], volumes[other], true, patients, repeats=repeats, seed=seed)}
                for one, other in combinations(of_model, 2)]}


def _made_by(rows) -> list[dict]:
    """Every software and model that a result.json names, once each."""
    return list({str(one): one for row in rows if (one := row.get("made_by"))}.values())
