"""Geometry: files that contradict themselves or know too little, scans mixed in one folder, and how they are packed."""

import json
import os
import zipfile
from dataclasses import replace
from functools import cache

import numpy as np
import pydicom
from dicom_files import change, change_all
from hard_inputs.hard_input import BALL_ML, HardInput, ball_ct, write_series
from nifti_files import nifti_bytes

from ICHVolumeLib.core.ct_volume import CTVolume
from ICHVolumeLib.io.nrrd import write_nrrd

LATIN_1 = os.fsdecode("M\u00fcller".encode("latin-1"))
TILT_DEG = 20.0


def image(kind="nrrd", matrix=lambda ct: ct.ijk_to_ras, sidecar=None, keys=None, nifti=None, **options):
    """An image file of the ball's scan with another matrix, other header fields (nifti) or a JSON file beside it."""
    def build(folder):
        ct, path = ball_ct(**options), folder / f"ct.{kind}"
        if kind == "nii":
            path.write_bytes(nifti_bytes(ct.hu, matrix(ct), **(nifti(ct) if nifti else {})))
        else:
            write_nrrd(path, ct.hu, matrix(ct), keys)
        if sidecar:
            (folder / "ct.json").write_text(json.dumps(sidecar), encoding="utf-8")
        return path
    return build


def qform_of(ct, **changes):
    """The header fields of a qform that agrees with the sample's matrix, but for the changes."""
    row_mm, column_mm = ct.pixel_spacing_mm
    fields = {"qform": 1, "quaternion": (0, 0, 1), "pixdim": (1, column_mm, row_mm, float(ct.slice_steps_mm.mean()))}
    return {**fields, **changes}


def scaled(factor):
    return lambda ct: np.diag([factor, factor, factor, 1]) @ ct.ijk_to_ras


def mirrored(ct):
    return np.diag([-1.0, 1, 1, 1]) @ ct.ijk_to_ras


def without_shear(ct):
    """What a converter leaves of a tilted scan: the same in-plane axes, the slices straight above each other."""
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 2] = ct.slice_normal_ras * np.linalg.norm(matrix[:3, 2])
    return matrix


def reordered(*order):
    """The voxels stored along other axes, the matrix saying so; order: of (slices, rows, columns)."""
    def build(folder):
        ct = ball_ct()
        matrix = ct.ijk_to_ras.copy()
        matrix[:3, :3] = np.stack([ct.ijk_to_ras[:3, 2 - axis] for axis in order][::-1], axis=1)
        write_nrrd(folder / "ct.nrrd", ct.hu.transpose(order), matrix)
        return folder / "ct.nrrd"
    return build


def even_copy_of_an_uneven_scan(folder):
    """As SimpleITK and dcm2niix write it: one matrix, the mean step for every slice."""
    ct = ball_ct(uneven=True)
    write_nrrd(folder / "ct.nrrd", ct.hu, ct.ijk_to_ras)
    return folder / "ct.nrrd"


def series(spoil=lambda folder: None, **options):
    def build(folder):
        write_series(ball_ct(**options), folder / "ct")
        spoil(folder / "ct")
        return folder / "ct"
    return build


def spacing_as_text(folder):
    for number, path in enumerate(sorted(folder.glob("*.dcm"))):
        if number % 2:
            spacing = pydicom.dcmread(path, stop_before_pixels=True).PixelSpacing
            change(path, PixelSpacing=[f"{float(value):.6f}" for value in spacing])


@cache
def without_ball(up_mm) -> CTVolume:
    return shifted(ball_ct(), up_mm)


def shifted(ct, up_mm, sideways_mm=4.0) -> CTVolume:
    shift = np.array([sideways_mm, 0, up_mm])
    matrix = ct.ijk_to_ras.copy()
    matrix[:3, 3] += shift
    air = np.where(ct.hu > 1800, 30, ct.hu).astype(np.int16)  # without the ball: measured, it would be seen
    return replace(ct, hu=air, ijk_to_ras=matrix, slice_origins_ras=ct.slice_origins_ras + shift)


def and_a_second_scan(up_mm=2.0, **tags):
    """Another scan, the head moved and the ball gone, under the same study and series UID unless tags say else."""
    def spoil(folder):
        first = pydicom.dcmread(folder / "CT0001.dcm", stop_before_pixels=True)
        write_series(without_ball(up_mm), folder / "second")
        change_all(folder / "second", **{"SeriesInstanceUID": first.SeriesInstanceUID,
                                         "StudyInstanceUID": first.StudyInstanceUID, **tags})
    return spoil


def empty_uid(spoil):
    def both(folder):
        spoil(folder)
        for place in (folder, folder / "second"):
            change_all(place, SeriesInstanceUID="")
    return both


def macos_leftovers(folder):
    (folder / "__MACOSX").mkdir()
    for path in sorted(folder.glob("*.dcm")):
        for place in (folder, folder / "__MACOSX"):
            (place / f"._{path.name}").write_bytes(b"\x00\x05\x16\x07" + bytes(160))
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")


def pipes(folder):
    os.mkfifo(folder / "CT0000.dcm")
    (folder / "zero.dcm").symlink_to("/dev/zero")


def without_preamble(folder):
    for path in folder.glob("*.dcm"):
        path.write_bytes(path.read_bytes()[132:])


def pixels_of_unknown_kind(folder):
    for path in folder.glob("*.dcm"):
        path.write_bytes(path.read_bytes().replace(b"\xe0\x7f\x10\x00OW", b"\xe0\x7f\x10\x00UN", 1))


def zipped(spoil=lambda archive: None):
    def build(folder):
        paths = write_series(ball_ct(), folder / "ct")
        with zipfile.ZipFile(folder / "ct.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                archive.write(path, f"patient/ct/{path.name}")
            spoil(archive)
        return folder / "ct.zip"
    return build


def latin_1(folder):
    write_series(ball_ct(), folder / LATIN_1)
    return folder / LATIN_1


def claims_100_gb(folder):
    (folder / "ct.nrrd").write_bytes(
        b"NRRD0004\ntype: short\ndimension: 3\nspace: RAS\nsizes: 30000 30000 60\n"
        b"space directions: (1,0,0) (0,1,0) (0,0,1)\nendian: little\nencoding: gzip\n\n")
    return folder / "ct.nrrd"


CONFLICT, SIZE, EVEN = "warned:affine-conflict", "warned:voxel-size-unknown", "warned:even-spacing-assumed"
SPLIT, CHOSEN = "warned:several-scans-in-series", "warned:series-chosen"
CASES = [
    HardInput("NIfTI, sform and qform agree", image("nii", nifti=lambda ct: qform_of(ct)), EVEN, true_ml=BALL_ML),
    HardInput("NIfTI, sform mirrored against qform", image("nii", mirrored, nifti=lambda ct: qform_of(ct)), CONFLICT,
              "left and right are exchanged", BALL_ML),
    HardInput("NIfTI, qform of other voxel sizes",
              image("nii", nifti=lambda ct: qform_of(ct, pixdim=(1, 0.9, 0.9, 4))), CONFLICT, "factor of", BALL_ML),
    HardInput("NIfTI, qform tilted and a little too long",
              image("nii", nifti=lambda ct: qform_of(ct, quaternion=(0, 0.05, 0.99876))), CONFLICT, "tilted by",
              BALL_ML),
    HardInput("NIfTI, qform no rotation", image("nii", nifti=lambda ct: qform_of(ct, quaternion=(1, 1, 1))), CONFLICT,
              "(qform) is damaged", BALL_ML),
    HardInput("NIfTI, qform alone and no rotation",
              image("nii", nifti=lambda ct: qform_of(ct, quaternion=(1, 1, 1), sform=0)), "refused",
              "cannot be read as NIfTI"),
    HardInput("NIfTI, sform sheared, qform upright", image("nii", nifti=lambda ct: qform_of(ct), tilt_deg=TILT_DEG),
              CONFLICT, "tilted gantry", BALL_ML),
    HardInput("NIfTI, no sform and no qform",
              image("nii", nifti=lambda ct: {**qform_of(ct), "qform": 0, "sform": 0}), SIZE,
              "sform and qform are empty", BALL_ML),
    HardInput("NIfTI, identity", image("nii", lambda ct: np.eye(4)), SIZE, "VOXEL SIZE UNKNOWN"),
    HardInput("NRRD, identity", image("nrrd", lambda ct: np.diag([-1.0, -1, 1, 1])), SIZE, "VOXEL SIZE UNKNOWN"),
    HardInput("NIfTI in metres without saying so", image("nii", scaled(0.001)), "refused", "no head CT"),
    HardInput("NIfTI in millimetres that says metres", image("nii", nifti=lambda ct: {"units": 1}), "refused",
              "no head CT"),
    HardInput("NRRD, a thousand times too large", image("nrrd", scaled(1000)), "refused", "no head CT"),
    HardInput("NRRD, sheared as by a tilted gantry", image(tilt_deg=TILT_DEG), "warned:gantry-tilt", "confirms it",
              BALL_ML),
    HardInput("NRRD, sheared, and a sidecar says the tilt",
              image(sidecar={"GantryDetectorTilt": TILT_DEG}, tilt_deg=TILT_DEG), "warned:gantry-tilt", "ct.json says",
              BALL_ML),
    HardInput("NRRD, shear dropped, nothing tells", image(matrix=without_shear, tilt_deg=TILT_DEG), EVEN, "ASSUMED"),
    HardInput("NRRD, shear dropped, a sidecar tells the tilt",
              image(matrix=without_shear, sidecar={"GantryDetectorTilt": TILT_DEG}, tilt_deg=TILT_DEG),
              "warned:tilt-tag", "lost the slant"),
    HardInput("NRRD, shear dropped, a DICOM key tells the tilt",
              image(matrix=without_shear, keys={"0018|1120": "20"}, tilt_deg=TILT_DEG), "warned:tilt-tag",
              "its header"),
    HardInput("NRRD, uneven slices made even", even_copy_of_an_uneven_scan, EVEN, "ASSUMED"),
    HardInput("NRRD, slice distance other than the sidecar's", image(sidecar={"SpacingBetweenSlices": 2.0}),
              "warned:spacing-conflict", "0.5 times"),
    *[HardInput(f"NRRD, axes stored as {name}", reordered(*order), "warned:axes-reordered", true_ml=BALL_ML)
      for name, order in (("SPL", (2, 1, 0)), ("SLP", (1, 2, 0)), ("PSL", (2, 0, 1)), ("LSP", (1, 0, 2)))],
    HardInput("NRRD that claims 100 GB", claims_100_gb, "refused", "more than the 512 MB"),
    HardInput("DICOM, tilted and uneven", series(tilt_deg=TILT_DEG, uneven=True), "right", true_ml=BALL_ML),
    HardInput("DICOM, pixel spacing written in two ways", series(spacing_as_text), "right", true_ml=BALL_ML),
    HardInput("DICOM, two acquisitions under one UID, 2 mm apart",
              series(and_a_second_scan(AcquisitionNumber=2)), SPLIT, "acquisition number", BALL_ML),
    HardInput("DICOM, two acquisitions told apart by their time only",
              series(and_a_second_scan(AcquisitionTime="130000")), SPLIT, "acquisition time", BALL_ML, slow=True),
    HardInput("DICOM, bone kernel under the same UID", series(and_a_second_scan(0.0, ConvolutionKernel="H70h")), SPLIT,
              "kernel", BALL_ML, slow=True),
    HardInput("DICOM, contrast under the same UID", series(and_a_second_scan(0.0, ContrastBolusAgent="Iomeprol")),
              SPLIT, "contrast agent", BALL_ML, slow=True),
    HardInput("DICOM, another thickness under the same UID", series(and_a_second_scan(0.0, SliceThickness=8)), SPLIT,
              "slice thickness", BALL_ML, slow=True),
    HardInput("DICOM, two studies under one UID", series(and_a_second_scan(StudyInstanceUID="1.2.3")), CHOSEN,
              "another study", BALL_ML, slow=True),
    HardInput("DICOM, two patients under one UID", series(and_a_second_scan(PatientID="OTHER")), "refused",
              "2 patients"),
    HardInput("DICOM, two patients and no series UID", series(empty_uid(and_a_second_scan(PatientID="OTHER"))),
              "refused", "2 patients", slow=True),
    HardInput("DICOM, two patients, the first asked for", series(and_a_second_scan(PatientID="OTHER")), CHOSEN,
              true_ml=BALL_ML, series_uid="1", slow=True),
    HardInput("DICOM beside ._ files, __MACOSX and DICOMDIR", series(macos_leftovers), "warned:files-skipped",
              true_ml=BALL_ML),
    HardInput("DICOM beside a named pipe and a device", series(pipes), "warned:files-skipped", true_ml=BALL_ML),
    HardInput("DICOM without preamble, named .dcm", series(without_preamble), "right", true_ml=BALL_ML),
    HardInput("DICOM, pixels of VR UN", series(pixels_of_unknown_kind), "right", true_ml=BALL_ML),
    HardInput("zip of a series", zipped(), "right", true_ml=BALL_ML),
    HardInput("zip with a path out of its folder", zipped(lambda archive: archive.writestr("../../evil", "evil")),
              "right", true_ml=BALL_ML),
    HardInput("folder of a name that is not UTF-8", latin_1, "right", true_ml=BALL_ML),
]
