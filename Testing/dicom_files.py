"""Spoiling DICOM files on purpose, and looking at what reading said about them."""

import pydicom

SMALL = {"pixel_mm": 3.0, "columns": 64, "rows": 72, "step_mm": 10.0}


def change(path, **tags):
    """Overwrite header fields of one file; None removes the field."""
    dataset = pydicom.dcmread(path)
    for name, value in tags.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.save_as(path)
    return dataset


def change_all(folder, **tags):
    for path in sorted(folder.glob("*.dcm")):
        change(path, **tags)


def codes(ct):
    return [finding.code for finding in ct.findings]


def message(ct, code):
    return next(finding.message for finding in ct.findings if finding.code == code)
