"""Slices that do not belong together, tags that change within a scan, and files whose claims no head fits."""

import gzip

import numpy as np
import pydicom
from dicom_files import change, change_all
from hard_inputs.cases_geometry import and_a_second_scan
from hard_inputs.hard_input import BALL_ML, HardInput, ball_ct, write_series
from nifti_files import nifti_bytes

MIDDLE = range(14, 26)
ALL = range(40)


def series(spoil, **options):
    def build(folder):
        write_series(ball_ct(**options), folder / "ct")
        spoil(folder / "ct")
        return folder / "ct"
    return build


def tags(numbers, **values):
    def spoil(folder):
        paths = sorted(folder.glob("*.dcm"))
        for k in numbers:
            change(paths[k], **values)
    return spoil


def kept(numbers):
    def spoil(folder):
        for k, path in enumerate(sorted(folder.glob("*.dcm"))):
            if k not in numbers:
                path.unlink()
    return spoil


def two_series(folder):
    """The upper half under a series UID of its own."""
    for path in sorted(folder.glob("*.dcm"))[24:]:
        change(path, SeriesInstanceUID="2.25.77", SeriesNumber=2)


def alternating_kernels(folder):
    tags(range(1, 40, 2), ConvolutionKernel="H70h")(folder)


def copies_with_other_pixels(folder):
    for path in sorted(folder.glob("*.dcm"))[10:13]:
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array.copy()
        pixels[50:60, 50:60] += 30
        dataset.PixelData, dataset.SOPInstanceUID = pixels.tobytes(), f"{dataset.SOPInstanceUID}.1"
        dataset.save_as(folder / f"copy-{path.name}")


def pixels_of(change_pixels, numbers):
    def spoil(folder):
        paths = sorted(folder.glob("*.dcm"))
        for k in numbers:
            dataset = pydicom.dcmread(paths[k])
            dataset.PixelData = change_pixels(dataset.pixel_array).astype("<i2").tobytes()
            dataset.save_as(paths[k])
    return spoil


def coronal(folder):
    for k, path in enumerate(sorted(folder.glob("*.dcm"))):
        change(path, ImageOrientationPatient=[1, 0, 0, 0, 0, -1], ImagePositionPatient=[0, 4 * k, 0])


def image(matrix=lambda ct: ct.ijk_to_ras, values=lambda hu: hu, name="ct.nii", cut=0, **header):
    def build(folder):
        ct = ball_ct()
        data = nifti_bytes(values(ct.hu), matrix(ct), **header)
        data = gzip.compress(data, 1) if name.endswith("gz") else data
        (folder / name).write_bytes(data[:len(data) - cut])
        return folder / name
    return build


def nrrd(lines, unit=1.0):
    def build(folder):
        ct = ball_ct()
        vectors = ["(" + ",".join(repr(float(value * unit)) for value in one) + ")" for one in ct.ijk_to_ras[:3].T]
        text = ("NRRD0004\ntype: short\ndimension: 3\nsizes: 128 128 40\nendian: little\nencoding: raw\n"
                f"space directions: {' '.join(vectors[:3])}\nspace origin: {vectors[3]}\n{lines}\n\n")
        (folder / "ct.nrrd").write_bytes(text.encode() + ct.hu.astype("<i2").tobytes())
        return folder / "ct.nrrd"
    return build


def stretched(*factors):
    return lambda ct: ct.ijk_to_ras @ np.diag([*factors, 1.0])


MIXED, SIZE, LEVELS = "warned:mixed-slices", "warned:head-size", "warned:slice-levels"
CASES = [
    HardInput("DICOM, another kernel in 12 slices in the middle", series(tags(MIDDLE, ConvolutionKernel="H70h")), MIXED,
              "H70h in slices ", BALL_ML),
    HardInput("DICOM, base and vertex in two series", series(two_series), "warned:head-in-two-series",
              "(--series 2) goes on"),
    HardInput("DICOM, tilted, base and vertex in two series", series(two_series, tilt_deg=20.0),
              "warned:head-in-two-series", slow=True),
    HardInput("DICOM, kernels alternate", series(alternating_kernels), MIXED, "H70h in slices ", BALL_ML, slow=True),
    HardInput("DICOM, contrast agent named in half of the slices",
              series(tags(range(20), ContrastBolusAgent="Iomeprol")), "warned:contrast-agent", "Iomeprol", BALL_ML),
    HardInput("DICOM, contrast agent without a name", series(tags(ALL, ContrastBolusVolume=50)),
              "warned:contrast-agent", "without a name", BALL_ML, slow=True),
    HardInput("DICOM, 80 kV in the middle", series(tags(MIDDLE, KVP=80)), MIXED, "tube voltage", BALL_ML, slow=True),
    HardInput("DICOM, thicker slices claimed in the middle", series(tags(MIDDLE, SliceThickness=8)), "right",
              true_ml=BALL_ML, slow=True),
    HardInput("DICOM, another description in the middle", series(tags(MIDDLE, SeriesDescription="x")), MIXED,
              "description", BALL_ML, slow=True),
    HardInput("DICOM, one slice is a Z_EFF map", series(tags([20], RescaleType="Z_EFF")), "refused", "Z_EFF"),
    HardInput("DICOM, half of it MONOCHROME1",
              series(tags(range(20), PhotometricInterpretation="MONOCHROME1")), "refused", "20 of its 40", slow=True),
    HardInput("DICOM, half of it a MIP", series(tags(range(20), ImageType=["DERIVED", "SECONDARY", "MIP"])),
              "warned:derived-image", "projection", BALL_ML, slow=True),
    HardInput("DICOM, two scans interleaved that no tag tells apart", series(and_a_second_scan()), "refused",
              "Two scans were mixed"),
    HardInput("DICOM, one slice of noise", series(pixels_of(lambda hu: np.roll(hu, 40, 1), [8])),
              "warned:slice-misplaced", "slice 9"),
    HardInput("DICOM, copies of slices with other pixels", series(copies_with_other_pixels), "refused",
              "different images at the same height"),
    HardInput("DICOM, slope 1.02 in 12 slices", series(tags(MIDDLE, RescaleSlope="1.02")), LEVELS, "jumps"),
    HardInput("DICOM, slope 1.1 in all slices", series(tags(ALL, RescaleSlope="1.1")), "refused", "not Hounsfield",
              slow=True),
    HardInput("DICOM, the last slice lost its intercept", series(tags([39], RescaleIntercept="0")), "refused",
              "slice 40 of 40"),
    HardInput("DICOM, bone wrapped round by too few bits", series(tags(ALL, BitsStored=12, HighBit=11)), "refused",
              "too few bits"),
    HardInput("DICOM, negative pixel spacing", series(tags(ALL, PixelSpacing=[-1.8, 1.8])), "refused", "mirrors",
              slow=True),
    HardInput("DICOM, neck by its name", series(lambda folder: change_all(folder, BodyPartExamined="NECK",
                                                                         SeriesDescription="Neck")),
              "warned:other-region", "Neck", BALL_ML, slow=True),
    HardInput("DICOM, a slab without vertex and base", series(kept(range(14, 28))), "warned:head-cut-off", "vertex"),
    HardInput("DICOM, coronal", series(coronal), "refused", "coronal", slow=True),
    HardInput("NIfTI, slices 1 mm apart by all its fields", image(stretched(1, 1, 0.25), pixdim=(1, 1.8, 1.8, 1)), SIZE,
              "skull rises"),
    HardInput("NIfTI, half as large", image(stretched(0.5, 0.5, 0.5)), SIZE, "largest slice"),
    HardInput("NIfTI, twice as large", image(stretched(2, 2, 2)), "warned:no-head", "voxel size"),
    HardInput("NIfTI, 1 mm voxels with an origin", image(lambda ct: np.array([[-1., 0, 0, 64], [0, -1, 0, 64],
                                                                             [0, 0, 1, -20], [0, 0, 0, 1]])), SIZE),
    HardInput("NIfTI in 8 bits with a slope of 10",
              image(values=lambda hu: np.clip(hu // 10, -128, 127).astype(np.int8), code=256, slope=10.0),
              "warned:hu-coarse", "10 HU"),
    HardInput("NIfTI, slope not a number", image(slope=float("nan"), inter=float("nan")), "right", true_ml=BALL_ML),
    HardInput("NIfTI, intercept not a number", image(slope=1.0, inter=float("nan")), "refused", "intercept"),
    HardInput("NIfTI, two volumes", image(values=lambda hu: np.concatenate([hu, hu]), dims=(4, 128, 128, 40, 2, 1, 1,
                                                                                          1)), "refused", "2 volumes"),
    HardInput("NIfTI in micrometres", image(lambda ct: np.diag([1000.0, 1000, 1000, 1]) @ ct.ijk_to_ras, units=3),
              "right", true_ml=BALL_ML),
    HardInput("NIfTI, gzip truncated", image(name="ct.nii.gz", cut=1000), "refused", "cannot be read"),
    HardInput("NIfTI, more slices in the file than in the header", image(dims=(3, 128, 128, 36, 1, 1, 1, 1)), "refused",
              "more voxels than its header"),
    HardInput("NRRD without a space", nrrd(""), "refused", "space is 'missing'"),
    HardInput("NRRD in scanner-xyz", nrrd("space: scanner-xyz"), "refused", "scanner-xyz"),
    HardInput("NRRD in centimetres", nrrd('space: RAS\nspace units: "cm" "cm" "cm"', 0.1), "refused", "another unit"),
    HardInput("NRRD as text that claims 200 million voxels", lambda folder: _claims_text(folder), "refused", "as text"),
]


def _claims_text(folder):
    (folder / "ct.nrrd").write_bytes(b"NRRD0004\ntype: short\ndimension: 3\nspace: RAS\nsizes: 512 512 800\n"
                                     b"space directions: (1,0,0) (0,1,0) (0,0,1)\nencoding: ascii\n\n" + b"1 " * 1000)
    return folder / "ct.nrrd"
