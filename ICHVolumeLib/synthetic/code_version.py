"""Which code made a head or a patient, so that results of another generator are not mixed in or used again."""

import hashlib
from pathlib import Path

MAKERS = ("synthetic/*.py", "datasets/ct_ich.py", "datasets/head_scale.py", "imaging/boxes.py", "imaging/morphology.py",
          "imaging/head_mask.py", "imaging/brain_level.py", "imaging/components.py", "imaging/itk_threads.py",
          "segmentation/orientation.py")  # the generator and what it calls; a test looks for others


def generator_mark() -> str:
    """Changes whenever the code that makes heads and patients does."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in maker_files())).hexdigest()[:12]


def maker_files() -> list[Path]:
    library = Path(__file__).resolve().parents[1]
    return [file for pattern in MAKERS for file in sorted(library.glob(pattern))]
