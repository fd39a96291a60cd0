"""A network's weights on disk: NETWORK.safetensors (stored_tensors.py; batch norm folded, no pickle) and manifest.json.

Reading needs no torch. The manifest carries the file's SHA-256, which is checked before a single weight is used.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from ..core.atomic_files import replace_file
from ..core.errors import InputError
from .base import NetworkConfig
from .registry import DEFAULT, network_of, read_config
from .stored_tensors import read, stored

SCHEMA, EIGHT_BITS = "ichvolume-weights/1", "ichvolume-weights/2"  # the second: large kernels in 8 bits
WEIGHTS_FILE = f"{DEFAULT}.safetensors"  # of the default network; see Weights.file_name
MANIFEST_FILE = "manifest.json"
COARSE_FOLDER = "coarse"  # inside a weights folder: those of the coarse pass, where there is one
ENVIRONMENT_VARIABLE = "ICHVOLUME_WEIGHTS"
DEFAULT_MANIFEST = {
    "network": DEFAULT,
    "version": "0",
    "licence": "Apache-2.0",
    "training_data": "",
    "threshold": 0.5,  # a voxel is bleed when p(ICH) + p(IVH) reaches it
    "window_hu": [-60, 140],
    "brain_hu": None,  # [lowest, highest] level of brain that it is for; other scans are moved into it. None: any
    "pixel_spacing_mm": {"native_range": [0.35, 0.6], "target": 0.47},
    "calibration": {},  # "interval": segmentation/conformal_interval, "pieces": postprocessing/false_positive_filter
    "int8_ranges": {},  # layer -> the largest value that it is given; the layers that may round to 8 bits
    "clean_up_mm3": {},  # step name -> limit, where it differs from postprocessing/steps.py
}


@dataclass(frozen=True, eq=False)
class Weights:
    """tensors: name -> array (float32, or whole numbers), the state of config's network, folded where it can be."""

    config: NetworkConfig
    tensors: dict[str, np.ndarray]
    manifest: dict

    @property
    def threshold(self) -> float:
        return float(self.manifest["threshold"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def file_name(self) -> str:
        return _file_name(self.config)

    @property
    def sha256(self) -> str:
        return self.manifest["sha256"]

    @property
    def window_hu(self) -> tuple[float, float]:
        """Lower and upper HU that become 0 and 1."""
        low, high = self.manifest["window_hu"]
        return float(low), float(high)

    @property
    def brain_hu(self) -> tuple[float, float] | None:
        """The levels of brain that the network was trained on; a darker or brighter scan is moved to the nearest. None
        where scans are shown as they are."""
        levels = self.manifest["brain_hu"]
        return None if levels is None else (float(levels[0]), float(levels[1]))

    @property
    def stored_as(self) -> str:
        """For people: how precisely they lie on the disk."""
        return "large kernels in 8 bits, the rest fp16" if self.in_eight_bits else "fp16"

    @property
    def in_eight_bits(self) -> bool:
        return self.manifest.get("schema") == EIGHT_BITS

    @property
    def only_proposes(self) -> bool:
        """True for the weights of a coarse pass: what they mark is looked at again by those that decide."""
        return "coarse" in self.manifest["calibration"]

    @property
    def int8_ranges(self) -> dict[str, float]:
        """Of the layers that may round to 8 bits: the largest value that each is given. Empty: none may."""
        return {layer: float(largest) for layer, largest in self.manifest["int8_ranges"].items()}


def save_weights(folder, model, manifest_fields: dict | None = None, eight_bits: bool = False) -> Path:
    """Write a trained network of the registry (torch, any device, folded or not) for inference; returns the folder.

    manifest_fields override or extend DEFAULT_MANIFEST; network, config and sha256 are filled in here. eight_bits: see
    stored_tensors.py. Raises InputError when a weight cannot be stored as fp16, or the folder cannot be written.
    """
    network = network_of(model.config)
    content = stored({name: value.numpy() for name, value in network.fold(model).items()}, eight_bits)
    manifest = {**DEFAULT_MANIFEST, **(manifest_fields or {}), "schema": EIGHT_BITS if eight_bits else SCHEMA,
                "network": network.name, "config": network.folded_config(model.config).to_dict(),
                "sha256": hashlib.sha256(content).hexdigest()}
    return _write(Path(folder), _file_name(model.config), content, manifest)


def copy_weights(weights: Weights, of: Path, folder: Path, manifest_fields: dict) -> Path:
    """The weights read from the folder `of`, and their coarse pass, with some fields of the manifest changed: nothing
    is rounded again, the SHA-256 stays. Returns the folder. Raises InputError where it cannot be written."""
    of, folder = Path(of), Path(folder)
    if (coarse := coarse_folder(of)) and folder.resolve() != of.resolve():
        for path in coarse.glob("*.*"):
            (folder / COARSE_FOLDER).mkdir(parents=True, exist_ok=True)
            replace_file(folder / COARSE_FOLDER / path.name, path.read_bytes())
    return _write(folder, weights.file_name, (of / weights.file_name).read_bytes(),
                  {"schema": SCHEMA, **weights.manifest, **manifest_fields})


def _write(folder: Path, name: str, content: bytes, manifest: dict) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / name, content)
    replace_file(folder / MANIFEST_FILE, (json.dumps(manifest, indent=2) + "\n").encode("utf-8"))
    return folder


def load_weights(folder=None) -> Weights:
    """Read and verify the weights in `folder`, else in $ICHVOLUME_WEIGHTS, else those shipped with the package.

    Raises InputError when files are missing, unreadable, of a newer kind, or do not have the manifest's SHA-256.
    """
    folder = weights_folder(folder)
    manifest = _read_manifest(folder)
    config = read_config(manifest, str(folder / MANIFEST_FILE))
    path = folder / _file_name(config)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the network weights cannot be read ({error.strerror}); "
                         f"choose a folder with {path.name} and {MANIFEST_FILE}.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != manifest["sha256"]:
        raise InputError(f"{path}: the checksum is {found[:12]}... but {MANIFEST_FILE} says "
                         f"{str(manifest['sha256'])[:12]}...; the file is damaged or not the one released, "
                         "copy it again.")
    return Weights(config, _read_tensors(content, path), manifest)


def weights_folder(folder=None) -> Path:
    """Where load_weights looks. Raises InputError when it is not a folder."""
    named = folder or os.environ.get(ENVIRONMENT_VARIABLE)
    path = Path(named) if named else Path(str(resources.files("ICHVolumeLib.weights")))
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; the network weights ({WEIGHTS_FILE}, {MANIFEST_FILE}) "
                         "are expected there.")
    return path


def coarse_folder(folder=None) -> Path | None:
    """The weights of the coarse pass that belong to those of load_weights(folder); None where there are none."""
    path = weights_folder(folder) / COARSE_FOLDER
    return path if (path / MANIFEST_FILE).is_file() else None


def _read_manifest(folder: Path) -> dict:
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{folder}: no network weights here; choose a folder with {WEIGHTS_FILE} and "
                         f"{MANIFEST_FILE}, by --weights or in the variable {ENVIRONMENT_VARIABLE}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable manifest ({error}); copy the weights folder again.") from error
    if not isinstance(manifest, dict) or manifest.get("schema") not in (SCHEMA, EIGHT_BITS):
        raise InputError(f"{path}: not a {SCHEMA} or {EIGHT_BITS} manifest; use weights made for this version of "
                         "ICHVolume.")
    missing = [name for name in ("sha256", "config") if name not in manifest]
    if missing or not isinstance(manifest["config"], dict):
        raise InputError(f"{path}: {', '.join(missing) or 'config'} missing; copy the weights folder again.")
    manifest = {**DEFAULT_MANIFEST, **manifest}
    _refuse_bad_numbers(manifest, path)
    return manifest


def _refuse_bad_numbers(manifest, path) -> None:
    """What every case reads from the manifest must be numbers in their order."""
    try:
        low, high = manifest["window_hu"]
        finest, coarsest = manifest["pixel_spacing_mm"]["native_range"]
        target = manifest["pixel_spacing_mm"]["target"]
        good = 0 <= manifest["threshold"] <= 1 and -5000 < low < high < 5000 \
            and 0 < finest <= coarsest < 100 and 0 < target < 100 \
            and (manifest["brain_hu"] is None or _is_range(*manifest["brain_hu"])) \
            and all(0 < largest < np.inf for largest in manifest["int8_ranges"].values())
    except (TypeError, ValueError, KeyError, AttributeError):
        good = False
    if not good or not all(isinstance(manifest[name], dict) for name in ("calibration", "clean_up_mm3")):
        raise InputError(f"{path}: threshold, window_hu, brain_hu, pixel_spacing_mm, int8_ranges, calibration or "
                         "clean_up_mm3 is not as it should be; copy the weights folder again.")


def _is_range(low: float, high: float) -> bool:
    return 0 < low <= high < 100


def _read_tensors(content: bytes, path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError

    try:
        return read(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:  # KeyError: a number type numpy lacks (BF16)
        raise InputError(f"{path}: not a safetensors file that can be read ({type(error).__name__}: {error}); "
                         "copy the weights folder again.") from error


def _file_name(config: NetworkConfig) -> str:
    return f"{config.network}.safetensors"
