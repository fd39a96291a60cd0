"""Small scans for tests of cohorts, and a segmenter that marks by HU, which other processes can import by name."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.io.written_files import sha256_of
from ICHVolumeLib.segmentation.segmenter import Segmentation

BLEED_HU = 65
SPACING_MM = (4.0, 4.0, 10.0)
SHAPE = 14, 48, 44


@dataclass
class MarkBlood:
    """Stands in for the network in tests of scale: what is 55 to 80 HU is ICH.

    Files that a test lays beside a scan tell it what to do: SCAN.kill (end this process, once), SCAN.deadly (every
    time), SCAN.hungry (run out of memory), SCAN.slow (holds the seconds to wait).
    """

    device: str
    weights_dir: Path | None
    engine: str
    threads: int | None = None

    @property
    def weights(self):
        return SimpleNamespace(sha256="f" * 64)

    def apply(self, ct: CTVolume, progress=None, is_cancelled=None) -> Segmentation:
        _obey(Path(ct.info.source))
        mask = ((ct.hu > 55) & (ct.hu < 80)).astype(np.uint8)
        return Segmentation(mask=mask, slice_uncertainty=np.zeros(len(mask), np.float32), findings=[],
                            engine="stand-in", device=f"{self.device}, threads {self.threads}",
                            seconds={"network": 0.0}, model="stand-in", model_sha256="f" * 64)


def _obey(scan: Path) -> None:
    kill, deadly, hungry, slow = (scan.with_name(f"{scan.name}.{word}")
                                  for word in ("kill", "deadly", "hungry", "slow"))
    if kill.exists() or deadly.exists():
        kill.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if hungry.exists():
        raise MemoryError
    if slow.exists():
        time.sleep(float(slow.read_text()))


def small_head(volume_ml: float, seed: int = 0) -> CTVolume:
    """A head of brain in bone with a ball of blood of about this volume (none at 0), 48 x 44 pixels of 4 mm."""
    slices, rows, columns = SHAPE
    z, y, x = np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in SHAPE), indexing="ij")
    z, y, x = z * SPACING_MM[2], y * SPACING_MM[1], x * SPACING_MM[0]
    radius = np.sqrt((x / 70) ** 2 + (y / 85) ** 2 + (z / 75) ** 2)
    hu = np.select([radius < 0.86, radius < 0.95, radius < 1], [32, 900, 40], -1000).astype(np.int16)
    rng = np.random.default_rng(seed)
    hu += (rng.integers(-4, 5, SHAPE) * (radius < 0.86)).astype(np.int16)
    middle = rng.uniform(-20, 20, 3)
    ball = (x - middle[0]) ** 2 + (y - middle[1]) ** 2 + (z - middle[2]) ** 2 < (volume_ml * 1000 * 3 / (4 * np.pi)) \
        ** (2 / 3)
    hu[ball & (radius < 0.86)] = BLEED_HU
    return CTVolume.regular(hu, np.array([[-SPACING_MM[0], 0, 0, 0], [0, -SPACING_MM[1], 0, 0],
                                          [0, 0, SPACING_MM[2], 0], [0, 0, 0, 1.0]]))


def write_scans(folder: Path, count: int, first: int = 0) -> list[Path]:
    """patient-0000.nii.gz, ...: every fifth has no bleed, the others 2 to 90 mL."""
    import nibabel

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(first, first + count):
        ct = small_head(0 if number % 5 == 4 else 2 + 88 * (number * 0.381966 % 1) ** 2, number)
        ras_to_file = ct.ijk_to_ras
        image = nibabel.Nifti1Image(ct.hu.transpose(2, 1, 0), ras_to_file)
        image.set_data_dtype(np.int16)
        image.header.set_xyzt_units("mm")
        path = folder / f"patient-{number:04d}.nii.gz"
        nibabel.save(image, path)
        paths.append(path)
    return paths


def hashes(out: Path, names=("mask.seg.nrrd", "thumbnail.png", "ich.stl")) -> dict[str, str]:
    """Of every file in the cases' folders that no clock is in."""
    return {path.relative_to(out).as_posix(): sha256_of(path) for path in sorted(out.glob("cases/*/*"))
            if path.name in names}
