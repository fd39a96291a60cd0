"""Where a mask came from: the model's, then every version that people made of it, with what each added and removed."""

from datetime import datetime
from pathlib import Path

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.errors import InputError
from ..core.plain import from_plain
from ..core.result import MaskVersion, Result
from ..io.masks import read_mask
from ..io.result_files import MASK_NRRD
from ..io.written_files import read_result, sha256_of


def this_version(result: Result, changed: tuple[int, int] | None = None) -> MaskVersion:
    """The entry of the mask that was just measured; changed: voxels added and removed. Its file is not written yet."""
    added, removed = changed or (None, None)
    volume = result.volume_ml
    return MaskVersion(result.mask_origin, datetime.now().astimezone().isoformat(timespec="seconds"), "",
                       volume.total, volume.ich, volume.ivh, added, removed)


def earlier_versions(automatic_json: Path, ct: CTVolume,
                     mask: np.ndarray) -> tuple[list[MaskVersion], tuple[int, int] | None]:
    """(the history in an earlier result.json, voxels that `mask` added to and removed from its mask).

    The second is None where that mask no longer lies beside it as it was written.
    """
    folder = Path(automatic_json).parent
    values = read_result(folder) if Path(automatic_json).name == "result.json" else {}
    history = [from_plain(MaskVersion, one) for one in values.get("history", ())]
    earlier = folder / MASK_NRRD
    if not history or not earlier.is_file() or sha256_of(earlier) != history[-1].mask_sha256:
        return history, None
    try:
        before = read_mask(earlier, ct) > 0
    except InputError:  # of another scan: then nothing can be counted
        return history, None
    now = mask > 0
    return history, (int(np.count_nonzero(now & ~before)), int(np.count_nonzero(before & ~now)))
