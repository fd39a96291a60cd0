"""What one model run said, kept with the segmentation it made: the "AI" column and the order of review."""

import json
from dataclasses import dataclass, replace

import numpy as np

from ICHVolumeLib.core.plain import from_plain, to_plain
from ICHVolumeLib.core.result import Abc2, VolumeMl
from ICHVolumeLib.segmentation.segmenter import Segmentation

REVIEW_ABOVE = 0.05  # slices less uncertain than this are not worth a surgeon's look
NO_MASK = np.zeros((0, 0, 0), np.uint8)


@dataclass(frozen=True)
class AiRecord:
    """segmentation: the run without its masks (which live in the scene); volume_ml, abc2: what its mask measured,
    before anybody edited it."""

    volume_ml: VolumeMl
    abc2: Abc2 | None
    segmentation: Segmentation

    @classmethod
    def of(cls, segmentation, result) -> "AiRecord":
        """segmentation: Segmentation of this run; result: make_result of its mask."""
        return cls(result.volume_ml, result.abc2, replace(segmentation, mask=NO_MASK, outside=None))

    @property
    def has_segments(self) -> bool:
        """Whether the run had anything to show in the scene."""
        return bool(self.volume_ml.total or self.segmentation.outside_ml)

    @property
    def slice_uncertainty(self) -> np.ndarray:
        return self.segmentation.slice_uncertainty

    def review_order(self) -> list[int]:
        """Slice indices worth a look, the least certain first; slices that the model was sure of are left out."""
        doubtful = np.flatnonzero(self.slice_uncertainty > REVIEW_ABOVE)
        return sorted(doubtful.tolist(), key=lambda k: (-self.slice_uncertainty[k], k))

    def to_json(self) -> str:
        run = to_plain(self.segmentation, leave_out=("mask", "outside", "slice_uncertainty"))
        run["slice_uncertainty"] = [round(float(value), 4) for value in self.slice_uncertainty]
        return json.dumps({"volume_ml": to_plain(self.volume_ml), "abc2": to_plain(self.abc2), "run": run})

    @classmethod
    def from_json(cls, text: str) -> "AiRecord | None":
        """What to_json gave, None for no text."""
        if not text:
            return None
        values = json.loads(text)
        arrays = {"mask": NO_MASK, "slice_uncertainty": np.asarray(values["run"]["slice_uncertainty"], np.float32)}
        return cls(from_plain(VolumeMl, values["volume_ml"]), from_plain(Abc2, values["abc2"]),
                   from_plain(Segmentation, {**values["run"], **arrays}))
