"""CQ500 (Chilamkurthy et al., Lancet 2018;392:2388, qure.ai): head CTs as DICOM, read by three radiologists, no masks.

    FOLDER/.../CQ500CT12 CQ500CT12/Unknown Study/SERIES/CT000000.dcm    (in qct01/, qct02/ ..., or not)
    FOLDER/reads.csv    name (CQ500-CT-12), R1:ICH, R2:ICH, R3:ICH ...; "ICH" is any blood in the skull

A case that at most one of three readers found bleeding has an empty truth, the others have none. Which series is read
is what read_ct chooses.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..io.read_ct import read_ct
from .case import DatasetCase

LICENCE = "CC BY-NC-SA 4.0 by its page, headctstudy.qure.ai; Chilamkurthy et al., Lancet 2018;392:2388"
TABLE = "reads.csv"
READERS = ("R1:ICH", "R2:ICH", "R3:ICH")
_CASE = re.compile(r"CQ500-?CT-?(\d+)\b.*", re.IGNORECASE)


def load_cq500(folder: Path) -> Iterator[DatasetCase]:
    """The cases, by number. Raises InputError at once where scans or reads.csv lack or do not fit each other, later for
    a scan that cannot be read."""
    folder = Path(folder)
    scans = _scans(folder)
    if not scans:
        raise InputError(f"{folder}: holds no folder like \"CQ500CT12 CQ500CT12\"; unpack the scans and {TABLE} there.")
    bleeds = _bleeds(folder / TABLE)
    lacking = [f"CQ500-CT-{number}" for number in sorted(scans.keys() - bleeds.keys())]
    if lacking:
        raise InputError(f"{folder / TABLE} has no row for {', '.join(lacking[:5])}; use the table of this data set.")

    def case(number: int) -> DatasetCase:
        ct = read_ct(scans[number])
        truth = None if bleeds[number] else np.zeros(ct.hu.shape, np.uint8)
        return DatasetCase(f"CQ500-CT-{number}", ct, truth, LICENCE, dataset="cq500",
                           study=ct.info.study_uid)

    return map(case, sorted(scans))


def _scans(folder: Path) -> dict[int, Path]:
    """Number -> folder of the case, in FOLDER itself or in a folder of it."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; check the path.")
    found: dict[int, Path] = {}
    for place in (folder, *sorted(item for item in folder.iterdir() if item.is_dir() and not _CASE.match(item.name))):
        for item in sorted(place.iterdir()):
            match = _CASE.fullmatch(item.name)
            if item.is_dir() and match:
                if int(match[1]) in found:
                    raise InputError(f"{found[int(match[1])]} and {item} are the same case; keep one of them.")
                found[int(match[1])] = item
    return found


def _bleeds(table: Path) -> dict[int, bool]:
    """Number of a case -> whether two of three readers saw blood."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            return {int(_CASE.fullmatch(row["name"].strip())[1]): sum(int(row[one]) for one in READERS) >= 2
                    for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{table} cannot be read as the readers' table ({type(error).__name__}: {error}); it has the "
                         f"columns name, {', '.join(READERS)}; copy it again.") from error
