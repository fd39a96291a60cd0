"""What is fuzzed: sound files made by code, how they are damaged, and the reader that must then read or refuse.

Everything a reader may meet lies in one folder; each round writes one damaged file there and calls the reader.
"""

import gzip
import hashlib
import io
import json
import math
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fuzz.mutate import mutated, mutated_dicom, mutated_gzip, mutated_json, mutated_nrrd, mutated_safetensors
from nifti_files import nifti_bytes
from phantoms import ellipsoid_ct

TINY = {"pixel_mm": 6.0, "columns": 32, "rows": 36, "step_mm": 36.0, "tilt_deg": 12.0}


@dataclass(frozen=True, eq=False)
class Target:
    """sound: the bytes to damage; file: where they go in the folder; damage(bytes, rng, header_bytes); read(): the
    library's reader on the damaged file, which may return or raise InputError. share: how often it is chosen;
    has_child: it starts another Python by itself."""

    name: str
    sound: bytes
    file: Path
    damage: Callable
    header_bytes: int
    read: Callable[[], object]
    share: float = 1.0
    has_child: bool = False


def make_targets(folder: Path) -> list[Target]:
    """Write the sound files into `folder` and return the targets; each reader is first tried on its sound file."""
    from ICHVolumeLib.io.nrrd import write_nrrd
    from ICHVolumeLib.io.read_ct import read_ct
    from ICHVolumeLib.io.result_files import read_automatic
    from ICHVolumeLib.io.segmentation_nrrd import write_mask_seg_nrrd
    from ICHVolumeLib.network.weights import load_weights
    from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

    phantom = ellipsoid_ct("tilted", **TINY)
    ct, mask = phantom.ct, phantom.mask.copy()
    mask[:, 20:24, 4:12] = 2
    series = write_dicom_series(ct, folder / "series")
    write_nrrd(folder / "ct.nrrd", ct.hu, ct.ijk_to_ras)
    write_nrrd(folder / "mask.nrrd", mask, ct.ijk_to_ras)
    write_mask_seg_nrrd(folder / "mask.seg.nrrd", mask, ct)
    plain_nii = nifti_bytes(ct.hu, ct.ijk_to_ras, qform=1)
    mask_nii = nifti_bytes(mask.astype("f4"), ct.ijk_to_ras)
    _write_weights(folder / "weights")
    write = {"ct.nii": plain_nii, "ct2.nii.gz": gzip.compress(plain_nii, 1), "mask.nii": mask_nii,
             "mask2.nii.gz": gzip.compress(mask_nii, 1), "series.zip": _zipped(series), "seg.dcm": _seg(ct, mask),
             "result.json": _result_json(), "raw.nrrd": _raw_nrrd(ct), "layers.seg.nrrd": _layers(ct, mask)}
    for name, data in write.items():
        (folder / name).write_bytes(data)
    (folder / "nnunet").mkdir()
    (folder / "nnunet" / "dataset.json").write_text('{"labels": {"background": 0, "ICH": 1, "IVH": 2}}')
    (folder / "nnunet" / "case.nii").write_bytes(mask_nii)

    def target(name, file, damage, header_bytes, read, **more):
        path = folder / file
        return Target(name, path.read_bytes(), path, damage, header_bytes, read, **more)

    def ct_target(name, file, damage, header_bytes=400):
        return target(name, file, damage, header_bytes, lambda: read_ct(folder / file))

    def mask_target(name, file, damage, header_bytes=400):
        return target(name, file, damage, header_bytes, lambda: _read_mask(folder / file, ct))

    return [
        target("dicom", "series/CT0002.dcm", mutated_dicom, 1600, lambda: read_ct(folder / "series")),
        ct_target("nifti", "ct.nii", mutated), ct_target("nifti gz", "ct2.nii.gz", mutated_gzip),
        ct_target("nrrd", "ct.nrrd", mutated_nrrd), ct_target("nrrd raw", "raw.nrrd", mutated_nrrd),
        ct_target("zip", "series.zip", mutated, 200),
        mask_target("mask nifti", "mask.nii", mutated), mask_target("mask nifti gz", "mask2.nii.gz", mutated_gzip),
        mask_target("mask nrrd", "mask.nrrd", mutated_nrrd), mask_target("seg.nrrd", "mask.seg.nrrd", mutated_nrrd),
        mask_target("seg.nrrd layers", "layers.seg.nrrd", mutated_nrrd),
        mask_target("dicom seg", "seg.dcm", mutated_dicom, 6000),
        target("dataset.json", "nnunet/dataset.json", mutated_json, 100,
               lambda: _read_mask(folder / "nnunet/case.nii", ct)),
        target("result.json", "result.json", mutated_json, 900,
               lambda: _finite(read_automatic(folder / "result.json"))),
        target("safetensors", "weights/attfocusnet.safetensors", mutated_safetensors, 400,
               lambda: _used(load_weights(_signed(folder / "weights")))),
        target("manifest", "weights/manifest.json", mutated_json, 900, lambda: _used(load_weights(folder / "weights"))),
        target("measure", "mask.seg.nrrd", mutated_nrrd, 400, lambda: _measure(folder), share=0.02, has_child=True),
    ]


def _read_mask(path, ct):
    from ICHVolumeLib.io.masks import read_mask

    return read_mask(path, ct)


def _used(weights):
    """What a case asks of the weights beside their tensors."""
    return weights.threshold, weights.window_hu, weights.version, weights.sha256, weights.config.size_multiple


def _finite(automatic):
    """Volumes that are no numbers would be written into the next result.json, which cannot hold them."""
    volume_ml, _ = automatic
    if not all(map(math.isfinite, vars(volume_ml).values())):
        raise ArithmeticError(f"read_automatic took {volume_ml}")


def _measure(folder):
    """A whole case: everything it writes must lie in out/."""
    from ICHVolumeLib.workflow.case import run_measure

    shutil.rmtree(folder / "out", ignore_errors=True)
    return run_measure(folder / "series", folder / "mask.seg.nrrd", folder / "out")


def _write_weights(folder):
    from safetensors.numpy import save

    from ICHVolumeLib.network.config import AttFocusNetConfig
    from ICHVolumeLib.network.weights import DEFAULT_MANIFEST, SCHEMA

    folder.mkdir()
    content = save({"stem.weight": np.ones((2, 3), np.float16), "head.bias": np.zeros(4, np.float16)})
    (folder / "attfocusnet.safetensors").write_bytes(content)
    manifest = {"schema": SCHEMA, **DEFAULT_MANIFEST, "config": AttFocusNetConfig().to_dict(),
                "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _signed(folder):
    """The manifest told the damaged file's checksum: only then are its bytes parsed."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256((folder / "attfocusnet.safetensors").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _zipped(paths) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            archive.write(path, f"series/{path.name}")
    return out.getvalue()


def _raw_nrrd(ct) -> bytes:
    vectors = ["(" + ",".join(repr(float(value)) for value in column) + ")" for column in ct.ijk_to_ras[:3].T]
    sizes = " ".join(map(str, ct.hu.shape[::-1]))
    return (f"NRRD0004\ntype: short\ndimension: 3\nspace: right-anterior-superior\nsizes: {sizes}\nspace directions: "
            f"{' '.join(vectors[:3])}\nkinds: domain domain domain\nendian: little\nencoding: raw\nspace origin: "
            f"{vectors[3]}\n\n").encode() + ct.hu.astype("<i2").tobytes()


def _layers(ct, mask) -> bytes:
    """A .seg.nrrd as 3D Slicer before 4.11 wrote it: a layer for each segment, without numbers."""
    vectors = ["(" + ",".join(repr(float(value)) for value in column) + ")" for column in ct.ijk_to_ras[:3].T]
    layers = np.stack([mask == 1, mask == 2], axis=-1).astype(np.uint8)
    return (f"NRRD0004\ntype: unsigned char\ndimension: 4\nspace: right-anterior-superior\nsizes: 2 "
            f"{' '.join(map(str, mask.shape[::-1]))}\nspace directions: none {' '.join(vectors[:3])}\n"
            f"kinds: list domain domain domain\nencoding: gzip\nspace origin: {vectors[3]}\nSegment0_ID:=ICH\n"
            "Segment0_Name:=ICH\nSegment1_ID:=IVH\nSegment1_Name:=IVH\n\n").encode() + gzip.compress(layers.tobytes())


def _seg(ct, mask) -> bytes:
    from dicom_seg_files import seg_bytes

    return seg_bytes(ct, {1: ("ICH", mask == 1), 2: ("IVH", mask == 2)})


def _result_json() -> bytes:
    volume = {"total": 12.5, "ich": 10.0, "ivh": 2.5, "paper_formula": 13.0}
    provenance = {"model": "AttFocusNet", "model_sha256": "00", "training_data": "none"}
    return json.dumps({"schema": "ichvolume-result/1", "volume_ml": volume, "provenance": provenance}).encode()
