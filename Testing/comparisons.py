"""A comparison without two scans, for its files."""

from ICHVolumeLib.core.comparison import Comparison, Expansion, RegistrationQuality, ScanOfPair
from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.core.result import VolumeMl

_EYE = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


def comparison(**changed) -> Comparison:
    """20 mL of ICH that became 32 mL."""
    scans = [ScanOfPair("scan", "1.2.3", when, VolumeMl(ml, ml, 0.0, ml), 30, (5.0, 5.0, 5.0), 5.0, 0.0, "model",
                        "0" * 64, "0.7.0") for when, ml in (("2026-01-01T08:00:00", 20.0), ("", 32.0))]
    values = {"earlier": scans[0], "later": scans[1], "hours_between": None,
              "expansion": Expansion(12.0, 60.0, 0.0, False, True, True), "total_ml": 12.0, "total_percent": 60.0,
              "ivh_percent": None, "residual_ich_ml": None, "residual_ich_percent": None, "patient": "same",
              "patient_why": "patient ID", "registration": RegistrationQuality(True, 0.98, 0.95, 1.0, 2.0, _EYE),
              "findings": [Finding("slices-differ", "warning", "Other slices.")], "software": "ICHVolume"}
    return Comparison(**{**values, **changed})
