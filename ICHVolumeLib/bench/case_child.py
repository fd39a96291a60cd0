"""The process that whole_case.py times: `python -m ICHVolumeLib.bench.case_child SCAN OUT REPEATS [WEIGHTS]`.

Reads, segments and measures the scan and writes the mask REPEATS times, then says on stdout, as one JSON object, when
what was done. Times are time.perf_counter(), which all processes of a computer share.
"""

import json
import sys
import time

clock = time.perf_counter
entered = clock()


def import_all() -> None:
    """What a case imports on its way, at once, so that the steps below hold none of it."""
    import numpy  # noqa: F401
    import pydicom  # noqa: F401
    import safetensors.numpy  # noqa: F401
    import SimpleITK  # noqa: F401

    from .. import measure  # noqa: F401
    from ..quality import checks  # noqa: F401
    from ..segmentation import segmenter  # noqa: F401

    try:
        from ..engines import openvino_engine  # noqa: F401
    except ImportError:
        from ..engines import torch_engine  # noqa: F401


def one_case(segmenter, source: str, mask_path: str) -> dict:
    """Step -> seconds. "compile" is all that the engine needs before its first slice."""
    from ..io.read_ct import read_ct
    from ..io.segmentation_nrrd import write_mask_seg_nrrd
    from ..measure import abc2, measure_mask
    from ..quality.checks import check_ct

    abc2.forget_lines()  # the second scan is another patient
    marks = [clock()]
    ct = read_ct(source)
    marks.append(clock())
    check_ct(ct)
    marks.append(clock())
    segmentation = segmenter.apply(ct)
    inside = segmentation.seconds
    marks.append(clock())
    measure_mask(ct, segmentation.mask)
    marks.append(clock())
    write_mask_seg_nrrd(mask_path, segmentation.mask, ct)
    marks.append(clock())
    read, check, _, measure, write = (end - start for start, end in zip(marks[:-1], marks[1:], strict=True))
    steps = {"read": read, "check": check, "prepare": inside["prepare"], "compile": inside["load"],
             "coarse": inside["coarse"], "network": inside["network"], "clean": inside["clean"], "measure": measure,
             "write": write}
    return {"steps": steps, "began": marks[0], "ended": marks[-1], "engine": segmentation.engine,
            "device": segmentation.device, "findings": [finding.message for finding in segmentation.findings],
            "marked_voxels": int((segmentation.mask > 0).sum())}


def main() -> int:
    source, mask_path, repeats = sys.argv[1:4]
    import_all()
    from ..segmentation.segmenter import Segmenter
    from .machine import peak_memory_mb

    imported = clock()
    segmenter = Segmenter(weights_dir=sys.argv[4] if len(sys.argv) > 4 else None)
    loaded = clock()
    cases = [one_case(segmenter, source, mask_path) for _ in range(int(repeats))]
    sys.stdout.write(json.dumps({"entered": entered, "imported": imported, "loaded": loaded, "cases": cases,
                                 "peak_memory_mb": peak_memory_mb()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
