"""ICHVolume's library: head CT in, hematoma mask, volume, ABC/2, scores, surface and report out.

Importing it loads neither torch nor SimpleITK; the names below are resolved on first use.
"""

from importlib import import_module

__version__ = "0.2.0"

_HOME_OF = {
    "CTVolume": "core.ct_volume",
    "ClinicalInputs": "core.result",
    "Result": "core.result",
    "check_ct": "quality.checks",
    "make_result": "workflow.make_result",
    "make_sample": "synthetic.sample",
    "measure_mask": "measure",
    "read_ct": "io.read_ct",
    "read_mask": "io.masks",
    "segment_ct": "segmentation.segmenter",
}

__all__ = ["__version__", *_HOME_OF]


def __getattr__(name):
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
