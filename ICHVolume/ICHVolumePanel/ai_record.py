"""What one model run said, kept with the segmentation it made: the "AI" column and the order of review."""

import json
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from ICHVolumeLib.core.findings import Finding
from ICHVolumeLib.core.result import Abc2, VolumeMl
from ICHVolumeLib.segmentation.segmenter import Segmentation

REVIEW_ABOVE = 0.05  # slices less uncertain than this are not worth a surgeon's look
NO_MASK = np.zeros((0, 0, 0), np.uint8)


@dataclass(frozen=True)
class AiRecord:
    """segmentation: the run without its mask (which lives in the scene); volume_ml, abc2: what its mask measured,
    before anybody edited it."""

    volume_ml: VolumeMl
    abc2: Abc2 | None
    segmentation: Segmentation

    @classmethod
    def of(cls, segmentation, result) -> "AiRecord":
        """segmentation: Segmentation of this run; result: make_result of its mask."""
        return cls(result.volume_ml, result.abc2, replace(segmentation, mask=NO_MASK))

    @property
    def slice_uncertainty(self) -> np.ndarray:
        return self.segmentation.slice_uncertainty

    def review_order(self) -> list[int]:
        """Slice indices worth a look, the least certain first; slices that the model was sure of are left out."""
        doubtful = np.flatnonzero(self.slice_uncertainty > REVIEW_ABOVE)
        return sorted(doubtful.tolist(), key=lambda k: (-self.slice_uncertainty[k], k))

    def to_json(self) -> str:
        run = {field.name: getattr(self.segmentation, field.name) for field in fields(Segmentation)
               if field.name != "mask"}
        run["slice_uncertainty"] = [round(float(value), 4) for value in self.slice_uncertainty]
        run["findings"] = [asdict(finding) for finding in self.segmentation.findings]
        return json.dumps({"volume_ml": asdict(self.volume_ml), "abc2": self.abc2 and asdict(self.abc2), "run": run})

    @classmethod
    def from_json(cls, text: str) -> "AiRecord | None":
        """What to_json gave, None for no text."""
        if not text:
            return None
        values = json.loads(text)
        run = values["run"]
        run["slice_uncertainty"] = np.asarray(run["slice_uncertainty"], np.float32)
        run["findings"] = [Finding(**finding) for finding in run["findings"]]
        run["interval_ml"] = tuple(run["interval_ml"]) if run["interval_ml"] else None
        known = {field.name for field in fields(Segmentation)}
        segmentation = Segmentation(mask=NO_MASK, **{name: run[name] for name in run if name in known})
        abc2 = values["abc2"]
        if abc2:
            lines = {name: tuple(map(tuple, abc2[name])) for name in ("a_line_ras", "b_line_ras")}
            abc2 = Abc2(**{**abc2, **lines})
        return cls(VolumeMl(**values["volume_ml"]), abc2, segmentation)
