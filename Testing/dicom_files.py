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


def enhanced_ct(slices):
    """The same slices as one Enhanced CT object, frames in reverse order to prove that positions decide."""
    slices = slices[::-1]
    out = slices[0].copy()
    out.SOPClassUID = out.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    out.NumberOfFrames = len(slices)
    out.PixelData = b"".join(item.PixelData for item in slices)

    def group(**sequences):
        values = pydicom.Dataset()
        for sequence, (names, source) in sequences.items():
            inner = pydicom.Dataset()
            for name in names:
                setattr(inner, name, source[name].value)
            setattr(values, sequence, [inner])
        return values

    first = slices[0]
    out.SharedFunctionalGroupsSequence = [group(
        PixelMeasuresSequence=(("PixelSpacing", "SliceThickness"), first),
        PlaneOrientationSequence=(("ImageOrientationPatient",), first),
        PixelValueTransformationSequence=(("RescaleSlope", "RescaleIntercept", "RescaleType"), first))]
    out.PerFrameFunctionalGroupsSequence = [
        group(PlanePositionSequence=(("ImagePositionPatient",), item)) for item in slices]
    for name in ("PixelSpacing", "SliceThickness", "ImageOrientationPatient", "ImagePositionPatient", "RescaleSlope",
                 "RescaleIntercept", "RescaleType"):
        delattr(out, name)
    return out
