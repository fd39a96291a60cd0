"""Threshold, classifier on pieces and volume interval from calibration patients, on masks as the product measures them:
after clean-up.

The network runs once per patient; what it thought is kept in a file, and the volume at every threshold in a row, so
that the choice can be made again without it.
"""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from ..core.labels import ICH, IVH
from ..evaluation.cases import append_row, read_rows
from ..evaluation.summary import SIZES_ML
from ..segmentation.conformal_interval import Amounts, calibrate_intervals
from ..segmentation.segmenter import Segmenter
from ..synthetic.code_version import generator_mark
from ..synthetic.patients import Patient, start_maker
from .fit_filter import fit_classifier
from .probability_cache import LEAST_KEPT, load_probabilities, probabilities_of, save_probabilities

log = logging.getLogger(__name__)

COARSE = np.round(np.arange(0.1, 0.81, 0.1), 2)
FINE = np.arange(-8, 9, 2) / 100  # around the best of these; finer steps would be noise
CLASSIFIER_AT = 0.35  # the threshold whose pieces the classifier is fitted on
BIAS_ALLOWED = 0.01  # of the summed volume; half of what a test on other patients may show
DRAWS = 200  # of the patients again, with replacement


class Calibration:
    """The calibration patients of one model in a folder: rows.jsonl, a probabilities/ file each, table.json.

    rows: by case; those of other weights, or of an earlier generator's patients, are passed over.
    jobs: processes that clean the masks up; 0 for this one alone.
    """

    def __init__(self, folder: Path, segmenter: Segmenter, jobs: int = 0):
        self.folder, self.segmenter, self.jobs = Path(folder), segmenter, jobs
        weights = segmenter.weights
        self.mark = f"{weights.sha256[:16]}, brain {weights.brain_hu}, patients {generator_mark()}, by label"
        self._limits = weights.manifest["clean_up_mm3"]
        self.rows = {row["case"]: row for row in read_rows(self.folder / "rows.jsonl")
                     if row["model"] == self.mark and self._file(row["case"]).is_file()}

    def _file(self, case: str) -> Path:
        return self.folder / "probabilities" / f"{case}.npz"

    def add(self, patient: Patient):
        """Run the network on a patient, keep its probabilities, append its row."""
        mm3 = patient.ct.voxel_volumes_mm3
        ich_ml, ivh_ml = (float(np.count_nonzero(patient.truth == label, axis=(1, 2)) @ mm3) / 1000
                          for label in (1, 2))
        kept = probabilities_of(self.segmenter, patient)
        save_probabilities(self._file(patient.name), kept)
        self._note({"case": patient.name, "model": self.mark, "true_ml": ich_ml + ivh_ml, "true_ivh_ml": ivh_ml})
        log.info("%s: %.2f mL", patient.name, ich_ml + ivh_ml)

    def choose(self) -> dict:
        """{"threshold", "intervals", "pieces"}: the classifier on pieces first (without it where there are too few of
        them), then the threshold in steps of 0.1 and of 0.02 around the best, then the intervals."""
        classifier = self._fit_classifier()
        self.measure(COARSE, classifier)
        coarse = choose_threshold(list(self.rows.values()), COARSE)["threshold"]
        fine = np.round(coarse + FINE, 2)
        fine = fine[fine > LEAST_KEPT]  # lower probabilities were not kept
        self.measure(fine, classifier)
        rows = [self.rows[case] for case in sorted(self.rows)]
        choice = choose_threshold(rows, [*COARSE, *fine])
        (self.folder / "table.json").write_text(json.dumps(choice, indent=1) + "\n", encoding="utf-8", newline="\n")
        for line in table_lines(choice):
            log.info("%s", line)
        intervals = calibrate_intervals(*self.measured(choice["threshold"], classifier))
        return {"threshold": choice["threshold"], "intervals": intervals, "pieces": classifier}

    def measured(self, threshold: float, classifier: dict | None) -> tuple[list[dict], list[Amounts], list[str]]:
        """Of all patients here at a threshold: true mL by label, what is found, whose head it is, as
        `calibrate_intervals` takes them."""
        rows = [self.rows[case] for case in sorted(self.rows)]
        found = self._each(partial(_amounts, threshold, self._limits, classifier),
                           [self._file(row["case"]) for row in rows])
        true_ml = [{ICH.name: row["true_ml"] - row["true_ivh_ml"], IVH.name: row["true_ivh_ml"]} for row in rows]
        return true_ml, list(found), [head_of(row["case"]) for row in rows]

    def _fit_classifier(self) -> dict | None:
        cases = sorted(self.rows)
        found = list(self._each(partial(_pieces, CLASSIFIER_AT, self._limits), [self._file(case) for case in cases]))
        return fit_classifier([one for features, _ in found for one in features],
                              [one for _, real in found for one in real])

    def measure(self, thresholds, classifier: dict | None):
        """Add the volumes at these thresholds to every row, from the probabilities that were kept."""
        wanted = [f"{one:.2f}" for one in thresholds]
        known = {case: row["ml_by_threshold"] if row.get("classifier") == classifier else {}
                 for case, row in self.rows.items() if "ml_by_threshold" in row}
        missing = {case: [one for one in wanted if one not in known.get(case, {})] for case in sorted(self.rows)}
        missing = {case: ones for case, ones in missing.items() if ones}
        volumes = self._each(partial(_volumes_ml, self._limits, classifier), map(self._file, missing), missing.values())
        for case, more in zip(missing, volumes, strict=True):
            volumes_ml = {**known.get(case, {}), **more}
            self._note({**self.rows[case], "classifier": classifier, "ml_by_threshold": volumes_ml})

    def _each(self, work, *lists) -> Iterator:
        if not self.jobs:
            yield from map(work, *lists)
            return
        with ProcessPoolExecutor(self.jobs, mp_context=get_context("spawn"), initializer=start_maker) as pool:
            yield from pool.map(work, *lists)

    def _note(self, row: dict):
        """The last row of a case counts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        append_row(self.folder / "rows.jsonl", row)
        self.rows[row["case"]] = row


def head_of(case: str) -> str:
    """Whose head a patient of synthetic.patients has: the end of its name."""
    return case.split("-", 1)[-1]


def _pieces(threshold: float, limits_mm3: dict, path: Path):
    return load_probabilities(path).components(threshold, limits_mm3)


def _amounts(threshold: float, limits_mm3: dict, classifier: dict | None, path: Path) -> Amounts:
    return load_probabilities(path).amounts(threshold, limits_mm3, classifier)


def _volumes_ml(limits_mm3: dict, classifier: dict | None, path: Path, thresholds: list[str]) -> dict[str, float]:
    kept = load_probabilities(path)
    return {one: kept.volume_ml(float(one), limits_mm3, classifier) for one in thresholds}


def choose_threshold(rows: list[dict], among) -> dict:
    """{"threshold", "spread", "table"} from calibration rows; among: the thresholds to choose from.

    Of the thresholds whose bias of the summed volume cannot be told from none (within two standard errors, or
    BIAS_ALLOWED), the one with the least error, the sum of |marked - true| over the patients. The bias alone would not
    do: it hangs on a few large bleeds that are hardly marked at any threshold, and making up for these with a low one
    marks everybody else's too widely. spread: 5th and 95th percentile of the choice when patients are drawn again.
    """
    thresholds = sorted({f"{one:.2f}" for one in among}, key=float)
    true = np.array([row["true_ml"] for row in rows])
    marked = np.array([[row["ml_by_threshold"][one] for one in thresholds] for row in rows])
    with_ivh = np.array([row["true_ivh_ml"] > 0.1 for row in rows])
    draws = np.random.default_rng(0).integers(len(rows), size=(DRAWS, len(rows)))
    doubt = 2 * np.std([_bias(true[draw], marked[draw]) for draw in draws], axis=0)
    again = [thresholds[_best(true[draw], marked[draw], doubt)] for draw in draws]
    return {"threshold": float(thresholds[_best(true, marked, doubt)]), "patients": len(rows),
            "spread": np.percentile(np.array(again, float), [5, 95]).tolist(),
            "table": _table(thresholds, true, marked, with_ivh, doubt)}


def _bias(true: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Of the summed volume, by threshold; true (patients,), marked (patients, thresholds)."""
    return marked.sum(axis=0) / true.sum() - 1


def _error(true: np.ndarray, marked: np.ndarray) -> np.ndarray:
    return np.abs(marked - true[:, None]).sum(axis=0) / true.sum()


def _best(true, marked, doubt) -> int:
    bias = np.abs(_bias(true, marked))
    allowed = bias <= np.maximum(doubt, BIAS_ALLOWED)
    return int(np.where(allowed, _error(true, marked), np.inf).argmin() if allowed.any() else bias.argmin())


def _table(thresholds, true, marked, with_ivh, doubt) -> list[dict]:
    groups = {f"{low:g}-{high:g} mL": (true >= low) & (true < high) for low, high in SIZES_ML}
    groups |= {"with IVH": with_ivh, "without IVH": ~with_ivh}
    columns = {"all": _bias(true, marked), "two SE": doubt, "error": _error(true, marked)}
    columns |= {name: _bias(true[part], marked[part]) for name, part in groups.items() if part.any()}
    return [{"threshold": float(one), **{name: float(values[n]) for name, values in columns.items()}}
            for n, one in enumerate(thresholds)]


def table_lines(choice: dict) -> list[str]:
    """The table for people: bias of the summed volume (all, and by group) by threshold, in percent."""
    names = list(choice["table"][0])
    lines = ["  ".join(f"{name:>12}" for name in names)]
    for line in choice["table"]:
        mark = " <" if line["threshold"] == choice["threshold"] else ""
        lines.append("  ".join([f"{line['threshold']:12.2f}"] + [f"{100 * line[name]:+11.1f}%" for name in names[1:]])
                     + mark)
    low, high = choice["spread"]
    return [*lines, f"threshold {choice['threshold']:.2f}; {low:.2f} to {high:.2f} when the {choice['patients']} "
                    "patients are drawn again"]
