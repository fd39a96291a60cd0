"""BHSD (Wu et al., MLMI 2023, doi:10.1007/978-3-031-45673-2_15): head CTs of RSNA 2019 with five kinds of blood marked.

    FOLDER/label_192/images/ID_<patient>_ID_<study>.nii.gz    and    ground truths/, the same names
    FOLDER/imagesTr/, labelsTr/, imagesTs/, labelsTs/         as its dataset.json for nnU-Net has them
"""

from collections.abc import Iterator
from pathlib import Path

from ..core.labels import ICH, IVH
from . import rsna
from .case import OUTSIDE_BRAIN, TEST, TRAIN, DatasetCase
from .labelled import labelled_cases
from .pairs import Rooms, pairs_in

LICENCE = "Wu et al., MLMI 2023, doi:10.1007/978-3-031-45673-2_15; images of RSNA 2019, whose terms hold, too"
VALUES = {1: OUTSIDE_BRAIN, 2: ICH.value, 3: IVH.value, 4: OUTSIDE_BRAIN, 5: OUTSIDE_BRAIN}  # EDH, IPH, IVH, SAH, SDH
ROOMS = (Rooms("images", "ground truths"), Rooms("imagesTr", "labelsTr", TRAIN), Rooms("imagesTs", "labelsTs", TEST))
ADVICE = "give the folder label_192 with images/ and ground truths/, or that with imagesTr/ and labelsTr/"


def load_bhsd(folder: Path) -> Iterator[DatasetCase]:
    """The scans, by name. Raises InputError at once where they lack, later for a mask that does not fit its scan."""
    return labelled_cases(pairs_in(folder, ROOMS, ADVICE), VALUES, LICENCE, "bhsd", rsna.identity)
