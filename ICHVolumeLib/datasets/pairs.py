"""Images and masks that belong together: files of the same name in two folders of a data set."""

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..io.images import is_image_name
from .case import TEST, TRAIN, VALIDATE

ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr")
FIRST_CHANNEL = "_0000"  # nnU-Net's ending of an image
SPLITS = {"train": TRAIN, "training": TRAIN, "val": VALIDATE, "valid": VALIDATE, "validation": VALIDATE, "test": TEST}
SHOWN = 5  # names in a sentence


@dataclass(frozen=True)
class Rooms:
    """Folders that lie beside each other: of the images, of their masks, and to which split they belong."""

    images: str
    masks: str
    split: str = ""


@dataclass(frozen=True)
class Pair:
    """mask: None where the folder of the masks is not there, so that nobody has marked the images."""

    name: str
    image: Path
    mask: Path | None
    split: str


def pairs_in(folder: Path, rooms: tuple[Rooms, ...], advice: str) -> list[Pair]:
    """The pairs in `folder`, or in the folders in it (train/, val/, test/ then name their split), by name.

    rooms: where a data set keeps them; those that are there count. advice: where the scans belong, for the sentence.
    Raises InputError where there are none, an image lacks its mask or a mask its image, or a name occurs twice.
    """
    folder = Path(folder)
    pairs: list[Pair] = []
    for base in _bases(folder, rooms):
        for one in rooms:
            if (base / one.images).is_dir():
                split = one.split or (SPLITS.get(base.name.lower(), "") if base != folder else "")
                pairs += _pairs_of(base, one, split)
    if not pairs:
        looked = " or ".join(dict.fromkeys(one.images for one in rooms))
        raise InputError(f"{folder}: holds no folder {looked} with NIfTI or NRRD files; {advice}.")
    names = [pair.name for pair in pairs]
    double = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if double:
        raise InputError(f"{folder}: {listed(double)} {'is' if len(double) == 1 else 'are'} there in two folders; keep "
                         "one of them.")
    return pairs


def files_by_name(folder: Path) -> dict[str, Path]:
    """NAME -> its file, sorted; hidden files and others are passed over. Raises InputError for a name used twice."""
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if not file.is_file() or file.name.startswith(".") or not is_image_name(file.name):
            continue
        name = stem(file.name)
        if name in files:
            raise InputError(f"{folder}: {files[name].name} and {file.name} have the same name; keep one of them.")
        files[name] = file
    return files


def stem(file_name: str) -> str:
    """Without the ending, and without that of nnU-Net's first channel."""
    name = next(file_name[:-len(ending)] for ending in ENDINGS if file_name.lower().endswith(ending))
    return name.removesuffix(FIRST_CHANNEL) or name


def listed(names: list[str]) -> str:
    """The first names of many, for a sentence."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _bases(folder: Path, rooms) -> list[Path]:
    """The folder itself where the rooms are in it, else those of its folders that hold some."""
    def holds(base: Path) -> bool:
        return any((base / one.images).is_dir() for one in rooms)

    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; check the path.")
    if holds(folder):
        return [folder]
    return [base for base in sorted(folder.iterdir()) if base.is_dir() and holds(base)]


def _pairs_of(base: Path, rooms: Rooms, split: str) -> list[Pair]:
    images, marked = files_by_name(base / rooms.images), (base / rooms.masks).is_dir()
    masks = files_by_name(base / rooms.masks) if marked else {}
    if marked and images:
        check_pairs(base, rooms, images.keys(), masks.keys())
    return [Pair(name, image, masks.get(name), split) for name, image in images.items()]


def check_pairs(base: Path, rooms: Rooms, images, masks) -> None:
    """Raises InputError, naming both kinds, where the names of images and masks are not the same."""
    alone = {f"without a mask in {rooms.masks}/": sorted(images - masks),
             f"without an image in {rooms.images}/": sorted(masks - images)}
    said = [f"{listed(names)} {words}" for words, names in alone.items() if names]
    if said:
        raise InputError(f"{base}: {' and '.join(said)}; an image and its mask have the same name, and a scan "
                         "without blood has an empty mask.")
