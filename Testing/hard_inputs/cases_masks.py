"""Masks of other programs: layers, names, codes, numbers without names, other grids, DICOM SEG.

Each mask belongs to one tilted, uneven scan with 40 mL of blood in the brain and some in the ventricles.
"""

import gzip
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from dicom_seg_files import BRAIN, HEMORRHAGE, VENTRICLE, seg_bytes
from hard_inputs.hard_input import HardInput, sample, write_series
from nifti_files import nifti_bytes

from ICHVolumeLib.core.labels import ICH
from ICHVolumeLib.io.nrrd import write_nrrd
from ICHVolumeLib.io.read_ct import read_ct


def scan():
    return sample(tilt_deg=14.0, uneven=True, ivh=True)


@cache
def scan_as_read():
    with TemporaryDirectory() as folder:
        write_series(scan().ct, Path(folder))
        return read_ct(folder)


def ml(wanted) -> float:
    """mL of what is marked, by true slab heights."""
    return float(wanted.sum(axis=(1, 2)) @ scan().ct.voxel_volumes_mm3) / 1000


def case(name, write, expected, true_ml=None, words=""):
    """write(folder, ct, mask) writes the mask and returns its path; the scan lies beside it as DICOM."""
    def build(folder):
        (folder / "mask").mkdir()
        return scan_as_read(), write(folder / "mask", scan().ct, scan().mask)

    return HardInput(name, build, expected, words=words, true_ml=true_ml)


def labelmap(values, name="m.nrrd"):
    """A mask file without names; values(mask) -> array."""
    def write(folder, ct, mask):
        array = values(mask)
        if name.endswith(".nii.gz"):
            (folder / name).write_bytes(gzip.compress(nifti_bytes(array, ct.ijk_to_ras)))
        else:
            write_nrrd(folder / name, array, ct.ijk_to_ras)
        return folder / name

    return write


def named(*names, values=lambda mask: mask, **more):
    """A .seg.nrrd with segments of these names for the values 1, 2, ..."""
    def write(folder, ct, mask):
        keys = {}
        for index, name in enumerate(names):
            keys |= {f"Segment{index}_ID": f"Segment_{index + 1}", f"Segment{index}_Name": name,
                     f"Segment{index}_Layer": 0, f"Segment{index}_LabelValue": index + 1}
        keys |= {f"Segment0_{key}": value for key, value in more.items()}
        write_nrrd(folder / "m.seg.nrrd", values(mask), ct.ijk_to_ras, keys)
        return folder / "m.seg.nrrd"

    return write


def four_axes(layers, lines, trailing=False):
    """An NRRD with a fourth axis: a layer for each segment, or (trailing) one of length 1 at the end."""
    def write(folder, ct, mask):
        vectors = ["(" + ",".join(repr(float(value)) for value in column) + ")" for column in ct.ijk_to_ras[:3].T]
        stacked = np.stack(layers(mask), axis=-1).astype(np.uint8)
        sizes, directions, kinds = list(map(str, mask.shape[::-1])), list(vectors[:3]), ["domain"] * 3
        for parts, more in ((sizes, str(stacked.shape[-1])), (directions, "none"), (kinds, "list")):
            parts.insert(3 if trailing else 0, more)
        header = (f"NRRD0004\ntype: unsigned char\ndimension: 4\nspace: right-anterior-superior\n"
                  f"sizes: {' '.join(sizes)}\nspace directions: {' '.join(directions)}\nkinds: {' '.join(kinds)}\n"
                  f"encoding: gzip\nspace origin: {vectors[3]}\n{lines}\n")
        (folder / "m.seg.nrrd").write_bytes(header.encode() + gzip.compress(stacked.tobytes()))
        return folder / "m.seg.nrrd"

    return write


def seg(kind="BINARY", names=("ICH", "IVH"), codes=None, **options):
    def write(folder, ct, mask):
        segments = {number: (name, mask == number) for number, name in enumerate(names, start=1)}
        (folder / "seg").write_bytes(seg_bytes(ct, segments, kind=kind, codes=codes, series_uid="", **options))
        return folder / "seg"

    return write


def moved(matrix_of):
    def write(folder, ct, mask):
        write_nrrd(folder / "m.nrrd", mask, matrix_of(ct))
        return folder / "m.nrrd"

    return write


def straight(ct):
    matrix = ct.ijk_to_ras.copy()
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    matrix[:3, 2] = normal / np.linalg.norm(normal) * np.linalg.norm(matrix[:3, 2])
    return matrix


def with_dataset_json(folder, ct, mask):
    labels = {"background": 0, "epidural": 1, "intraparenchymal": 2, "intraventricular": 3}
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    return labelmap(bhsd, "case.nii.gz")(folder, ct, mask)


def empty(folder, ct, mask):
    write_nrrd(folder / "m.seg.nrrd", np.zeros((1, 1, 1), np.uint8), np.eye(4))
    return folder / "m.seg.nrrd"


def bhsd(mask):
    """2 intraparenchymal, 3 intraventricular, and an epidural that is not there (1)."""
    values = np.where(mask == 2, 3, mask * 2).astype(np.uint8)
    values[3:6, 10:20, 30:90] = 1
    return values


def named_without_values(folder, ct, mask):
    keys = {"Segment0_ID": "a", "Segment0_Name": "ICH", "Segment1_ID": "b", "Segment1_Name": "IVH"}
    write_nrrd(folder / "m.seg.nrrd", mask, ct.ijk_to_ras, keys)
    return folder / "m.seg.nrrd"


def in_air(mask):
    out = np.zeros_like(mask)
    out[18:22, 2:10, 2:10] = 1
    return out


def leaking(mask):
    """A band from the bleed through bone into the air."""
    out = mask.copy()
    k, j, i = (int(axis.mean()) for axis in np.nonzero(mask))
    out[k, j - 1:j + 1, i:] = 1
    return out


def elsewhere(mask):
    """A small box in the brain of the other side."""
    k, j, i = (int(axis.mean()) for axis in np.nonzero(mask == 1))
    out = np.zeros_like(mask)
    out[k:k + 2, j - 3:j + 3, 127 - i - 3:127 - i + 3] = 1
    return out


def every_other(mask):
    out = mask.copy()
    out[::2] = 0
    return out


def bone(folder, ct, mask):
    write_nrrd(folder / "m.nrrd", (ct.hu > 300).astype(np.uint8), ct.ijk_to_ras)
    return folder / "m.nrrd"


def text_file(folder, ct, mask):
    (folder / "m.nrrd").write_text("hello")
    return folder / "m.nrrd"


MASK = scan().mask
ALL_ML, ICH_ML = ml(MASK > 0), ml(MASK == 1)
LAYERS = "Segment0_ID:=a\nSegment0_Name:=ICH\nSegment1_ID:=b\nSegment1_Name:=IVH\n"
CODED = f"TerminologyEntry:{ICH.terminology}|"

CASES = [
    case("layers without Layer keys (older 3D Slicer)", four_axes(lambda mask: [mask == 1, mask == 2], LAYERS), "right",
         ALL_ML),
    case("a trailing axis of length 1 (MITK)", four_axes(lambda mask: [mask], "", trailing=True), "warned:mask-labels",
         ALL_ML),
    case("an empty segmentation of one voxel (3D Slicer)", empty, "right", 0.0),
    case("segments without LabelValue in one layer",
         named_without_values, "refused", words="--label 1=ich"),
    case("voxels of no segment", named("ICH"), "refused", words="value 2 (of no segment)"),
    case("a subdural beside the hematoma", named("ICH", "Subdural hematoma"), "warned:mask-left-out", ICH_ML,
         "Subdural hematoma"),
    case("an edema alone", named("Edema", values=lambda mask: (mask == 1).astype(np.uint8)),
         "warned:mask-left-out", 0.0, f"Edema ({ICH_ML:.1f} mL)"),
    case("segments of unknown names", named("Lesion 1", "Lesion 2"), "refused", words='--label "Lesion 1=ich'),
    case("one segment without a telling name", named("Segment_1", values=lambda mask: (mask == 1).astype(np.uint8)),
         "warned:mask-labels", ICH_ML, "Segment_1"),
    case("a segment named by its codes alone", named("Segment_1", "IVH", Tags=CODED), "right", ALL_ML),
    case("a name against its codes", named("Subdural", "IVH", Tags=CODED), "refused", words="Subdural"),
    case("ICH_1 and intraventricular_hemorrhage", named("ICH_1", "intraventricular_hemorrhage"), "right", ALL_ML),
    case("a labelmap of 1 and 2", labelmap(lambda mask: mask), "warned:mask-labels", ALL_ML, "1 was counted as ICH"),
    case("a labelmap with a 3", labelmap(lambda mask: np.where(mask == 2, 3, mask).astype(np.uint8)), "refused",
         words="--label 1=ich --label 3=ignore"),
    case("the classes of BHSD without names", labelmap(bhsd, "case.nii.gz"), "refused", words="BHSD (1 EDH"),
    case("the classes of BHSD with dataset.json", with_dataset_json, "warned:mask-left-out", ALL_ML, "epidural"),
    case("255 for yes", labelmap(lambda mask: ((mask > 0) * 255).astype(np.uint8)), "warned:mask-labels", ALL_ML,
         "255"),
    case("a file called edema.nii.gz", labelmap(lambda mask: (mask > 0).astype(np.uint8), "edema.nii.gz"), "refused",
         words="by its name no blood"),
    case("intracerebral_hemorrhage.nii.gz (TotalSegmentator)",
         labelmap(lambda mask: (mask == 1).astype(np.uint8), "intracerebral_hemorrhage.nii.gz"), "right", ICH_ML),
    case("labels of 1.00000006", labelmap(lambda mask: (mask * 1.00000006).astype(np.float64)), "warned:mask-labels",
         ALL_ML),
    case("labels of 0.996", labelmap(lambda mask: (mask * 0.996).astype(np.float32)), "warned:mask-labels", ALL_ML),
    case("a probability", labelmap(lambda mask: (mask * 0.7).astype(np.float32)), "refused", words="fractions"),
    case("a straight mask for a tilted CT", moved(straight), "refused", words="the mask's by 0.0: the tilt was lost"),
    case("a mask 3 mm away", moved(lambda ct: np.vstack([ct.ijk_to_ras[:3] + [[0, 0, 0, 3.1]] * 3, [0, 0, 0, 1]])),
         "refused", words="does not fit this CT"),
    case("a mask in the air beside the head", labelmap(in_air), "warned:mask-outside-head", words="outside the skull"),
    case("a mask that leaks through the skull", labelmap(leaking), "warned:mask-outside-head", words="outside the"),
    case("a mask of a small place without blood", labelmap(elsewhere), "warned:not-denser-than-brain",
         words="of this scan"),
    case("a mask mirrored left to right", labelmap(lambda mask: mask[:, :, ::-1].copy()), "warned:probably-noise",
         words="denser"),
    case("a mask of the skull", bone, "warned:denser-than-blood", words="bone"),
    case("a mask drawn in every other slice", labelmap(every_other), "warned:slice-disagreement", words="jumps"),
    case("a text file named .nrrd", text_file, "refused", words="cannot be read as NRRD"),
    case("DICOM SEG, binary", seg(), "right", ALL_ML),
    case("DICOM SEG, labelmap", seg("LABELMAP"), "right", ALL_ML),
    case("DICOM SEG, frames from the top", seg(order=lambda frames: frames[::-1]), "right", ALL_ML),
    case("DICOM SEG, named by codes", seg(names=("x", "y"), codes={1: (HEMORRHAGE, BRAIN), 2: (HEMORRHAGE, VENTRICLE)}),
         "right", ALL_ML),
    case("DICOM SEG, names unknown", seg(names=("x", "y")), "refused", words="--label x=ich"),
    case("DICOM SEG of another scan",
         lambda folder, ct, mask: seg()(folder, sample().ct, sample().mask), "refused", words="does not fit this CT"),
]
