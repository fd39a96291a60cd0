"""Tiny scans in the layouts of public data sets, made by code: a head of 4 slices with blocks of blood in it."""

import json

import nibabel
import numpy as np
import SimpleITK as sitk
from ct_ich_files import write_slice

SPACING_MM = (8.0, 8.0, 5.0)  # columns, rows, slices
VOXEL_ML = 0.32
MATRIX = np.diag([-8.0, -8.0, 5.0, 1.0])
SHAPE = (4, 28, 24)
CORNERS = [(4, 4), (4, 12), (12, 4), (12, 12), (18, 8)]


def head(seed=0, shape=SHAPE):
    """int16 HU: air, and in it brain with noise, so that no two seeds have the same pixels."""
    hu = np.full(shape, -1000, np.int16)
    hu[:, 3:25, 3:21] = np.random.default_rng(seed).normal(34, 6, (shape[0], 22, 18)).round()
    hu[:, 3, 3:21] = 700  # bone, or the file looks like one that was clipped to a window
    return hu


def blocks(*values, shape=SHAPE):
    """A mask with a block of 8 voxels (2 slices, 2 rows, 2 columns) for each value, the first one from slice 1 on."""
    mask = np.zeros(shape, np.uint8)
    for value, (row, column) in zip(values, CORNERS, strict=False):
        mask[1:3, row:row + 2, column:column + 2] = value
    return mask


BLOCK_ML = 8 * VOXEL_ML


def write_nifti(path, array, matrix=MATRIX):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(array.T), matrix), path)
    return path


def write_table(path, columns, *rows):
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def truth_ml(case):
    """{value in the truth: mL}, by the scan's own voxel volumes."""
    return {int(value): float((case.truth == value).sum(axis=(1, 2)) @ case.ct.voxel_volumes_mm3 / 1000)
            for value in np.unique(case.truth) if value}


def write_dicom(folder, hu, origins_z=None, *, name="CT{:06d}.dcm", patient="P", seed=0, tilt_mm=0.0):
    """A DICOM series of these slices; tilt_mm: how far each slice lies behind the last. Returns scan and files."""
    from ICHVolumeLib.core.ct_volume import CTVolume
    from ICHVolumeLib.synthetic.dicom_series import write_dicom_series

    z = 5.0 * np.arange(len(hu)) if origins_z is None else np.asarray(origins_z, float)
    origins = np.stack([0 * z, tilt_mm * np.arange(len(hu)), z], axis=1)
    matrix = MATRIX.copy()
    matrix[:3, 2] = (origins[-1] - origins[0]) / (len(hu) - 1)
    ct = CTVolume(hu, matrix, origins)
    files = [path.rename(path.with_name(name.format(k)))
             for k, path in enumerate(write_dicom_series(ct, folder, patient_id=patient, seed=seed))]
    return ct, files


def write_bhsd(root, names=("ID_0000aaaa_ID_1111bbbb22",), values=(1, 2, 3, 4, 5), seed=0):
    for number, name in enumerate(names):
        write_nifti(root / "label_192" / "images" / f"{name}.nii.gz", head(seed + number))
        write_nifti(root / "label_192" / "ground truths" / f"{name}.nii.gz", blocks(*values))
    return root / "label_192"


def write_hemseg_list(root, study, slices, patient="ID_0000aaaa"):
    row = {"patient_name": patient, "scan_name": study, "slice_list": {str(k): name for k, name in enumerate(slices)}}
    root.mkdir(parents=True, exist_ok=True)
    (root / "annotion_file_info_500.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")


def write_ct_ich_nifti(root, kinds, number="049", values=(1,), seed=0):
    """kinds: of every slice, the columns that are 1."""
    write_nifti(root / "ct_scans" / f"{number}.nii", head(seed))
    write_nifti(root / "masks" / f"{number}.nii", blocks(*values))
    _write_kinds(root / "hemorrhage_diagnosis_raw_ct.csv", number, kinds)
    return root


def write_ct_ich_jpeg(root, kinds, masks, number="049"):
    """kinds: as above. masks: slice (1 lowest) -> True where blood is marked, (650, 650)."""
    brain = root / "Patients_CT" / number / "brain"
    brain.mkdir(parents=True, exist_ok=True)
    for k in range(len(kinds)):
        write_slice(brain / f"{k + 1}.jpg")
    for k, mask in masks.items():
        sitk.WriteImage(sitk.GetImageFromArray(np.uint8(255) * mask), str(brain / f"{k}_HGE_Seg.jpg"))
    _write_kinds(root / "hemorrhage_diagnosis.csv", number, kinds)
    return root


def _write_kinds(path, number, kinds):
    columns = ["PatientNumber", "SliceNumber", "Intraventricular", "Intraparenchymal", "Subarachnoid", "Epidural",
               "Subdural", "No_Hemorrhage", "Fracture_Yes_No"]
    write_table(path, columns, *([int(number), k + 1, *(int(name in here) for name in columns[2:7]), int(not here), 0]
                                 for k, here in enumerate(kinds)))


def write_cq500(root, reads, series="CT Plain"):
    """reads: number -> how the three readers answered "ICH"."""
    for number in reads:
        write_dicom(root / "qct01" / f"CQ500CT{number} CQ500CT{number}" / "Unknown Study" / series, head(number),
                    patient=f"CQ500-CT-{number}", seed=number)
    write_table(root / "reads.csv", ["name", "Category", "R1:ICH", "R2:ICH", "R3:ICH"],
                *([f"CQ500-CT-{number}", "B1", *answers] for number, answers in reads.items()))
    return root
