"""INSTANCE 2022 (Li et al., arXiv:2301.03281), a challenge's training scans with all blood under one label.

    FOLDER/train_2/data/NNN.nii.gz    and    label/NNN.nii.gz, 1 where there is blood of any kind

The five kinds (in the brain, in the ventricles, subdural, epidural, subarachnoid) are not told apart. All of it becomes
ICH, so that totals compare and "ICH" and "IVH" do not.
"""

from collections.abc import Iterator
from pathlib import Path

from ..core.labels import ICH
from .case import DatasetCase
from .labelled import labelled_cases
from .pairs import Rooms, pairs_in

LICENCE = "by agreement with the organizers, instance.grand-challenge.org; Li et al., arXiv:2301.03281"
VALUES = {1: ICH.value}
ROOMS = (Rooms("data", "label"),)
ADVICE = "give the folder train_2 with data/ and label/"


def load_instance2022(folder: Path) -> Iterator[DatasetCase]:
    """The scans, by name. Raises InputError at once where they lack, later for a mask that does not fit its scan."""
    return labelled_cases(pairs_in(folder, ROOMS, ADVICE), VALUES, LICENCE, "instance2022")
