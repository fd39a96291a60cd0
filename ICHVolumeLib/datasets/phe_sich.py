"""PHE-SICH-CT-IDS (Ma et al., arXiv:2308.10521): spontaneous hemorrhages whose OEDEMA is marked, not their blood.

    FOLDER/set/NAME.nii.gz    and    label/NAME.nii.gz    (or images/ and labels/)

No case has a truth here, since a mask of the oedema says nothing of how much blood there is; the scans can be
segmented, and looked for in other sets.
"""

from collections.abc import Iterator
from pathlib import Path

from ..io.read_ct import read_ct
from .case import DatasetCase
from .pairs import Pair, Rooms, pairs_in

LICENCE = "see figshare 23957937; Ma et al., arXiv:2308.10521"
ROOMS = (Rooms("set", "label"), Rooms("image", "label"), Rooms("images", "labels"))
ADVICE = "give the folder of the NIfTI files with set/ (or images/) in it"


def load_phe_sich(folder: Path) -> Iterator[DatasetCase]:
    """The scans, by name, without a truth. Raises InputError at once where they lack."""
    def case(pair: Pair) -> DatasetCase:
        return DatasetCase(pair.name, read_ct(pair.image), None, LICENCE, pair.split, "phe_sich")

    return map(case, pairs_in(folder, ROOMS, ADVICE))
