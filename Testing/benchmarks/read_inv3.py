"""Turn an InVesalius project (.inv3) into a NIfTI file that every command reads.

Run: python Testing/benchmarks/read_inv3.py Cranium.inv3 cranium.nii.gz
Debian's package invesalius-examples holds Cranium.inv3, a whole head without a bleed (GPL-2; it is no training data):

    apt-get download invesalius-examples && dpkg-deb -x invesalius-examples_*.deb invesalius

A project is a gzipped tar of property lists and raw arrays. Slices run upwards; rows are stored from back to front
(VTK's order) and are turned here, so that the file is an ordinary axial scan.
"""

import plistlib
import sys
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np


def read_inv3(path):
    """(int16 HU (slices, rows, columns), spacing mm along columns, rows and slices) of a project.

    Slice 0 is the lowest, row 0 the front, column 0 the patient's right. Raises ValueError when the file holds no
    axial CT.
    """
    with tarfile.open(path) as project:
        members = {PurePosixPath(member.name).name: member for member in project.getmembers() if member.isfile()}
        if "main.plist" not in members:
            raise ValueError(f"{path}: no main.plist in it; this is no InVesalius project.")
        about = plistlib.load(project.extractfile(members["main.plist"]))
        if about["modality"] != "CT" or about["orientation"] != 1:
            raise ValueError(f"{path}: {about['modality']}, orientation {about['orientation']}; give an axial CT.")
        matrix = about["matrix"]
        raw = project.extractfile(members[PurePosixPath(matrix["filename"]).name]).read()
    hu = np.frombuffer(raw, matrix["dtype"]).reshape(matrix["shape"])
    return hu[:, ::-1].astype(np.int16), tuple(float(step) for step in about["spacing"])


def main():
    import SimpleITK as sitk

    project, out = (Path(word) for word in sys.argv[1:])
    hu, spacing_mm = read_inv3(project)
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing(spacing_mm)  # ITK is LPS: columns to the left, rows to the back, slices upwards
    sitk.WriteImage(image, str(out))
    sys.stdout.write(f"{hu.shape[0]} slices of {hu.shape[1]} x {hu.shape[2]}: {out}\n")


if __name__ == "__main__":
    main()
