"""What the numbers in a mask mean: value, name, colour and DICOM codes (SNOMED CT, scheme SCT).

Sources: DICOM PS3.16 CID 7150/7151 as used by DCMQI; 3D Slicer's terminology string format.
"""

from dataclasses import dataclass

_CATEGORY = ("SCT", "49755003", "Morphologically Abnormal Structure")
_HEMORRHAGE = ("SCT", "50960005", "Hemorrhage")
_BRAIN = ("SCT", "12738006", "Brain")
_VENTRICLE = ("SCT", "35764002", "Brain ventricle")
_MENINGES = ("SCT", "1231004", "Meninges")

Code = tuple[str, str, str]


@dataclass(frozen=True)
class Label:
    """One segment: its voxel value in a mask, its name, colour (0..1 RGB) and codes (scheme, value, meaning)."""

    value: int
    name: str
    long_name: str
    color: tuple[float, float, float]
    category: Code
    type: Code
    region: Code

    @property
    def terminology(self) -> str:
        """The tag 3D Slicer stores with a segment (TerminologyEntry, see vtkSegment)."""
        codes = ["^".join(code) for code in (self.category, self.type)]
        return (f"Segmentation category and type - 3D Slicer General Anatomy list~{codes[0]}~{codes[1]}~^^"
                f"~Anatomic codes - DICOM master list~{'^'.join(self.region)}~^^")


ICH = Label(1, "ICH", "Intracerebral hemorrhage", (0.86, 0.16, 0.18), _CATEGORY, _HEMORRHAGE, _BRAIN)
IVH = Label(2, "IVH", "Intraventricular hemorrhage", (0.98, 0.65, 0.14), _CATEGORY, _HEMORRHAGE, _VENTRICLE)
LABELS = (ICH, IVH)  # what a mask holds and volumes count
# subdural, epidural, subarachnoid: shown beside the mask
OUTSIDE_BRAIN = Label(3, "Outside the brain (not counted)", "Blood outside the brain", (0.33, 0.55, 0.93), _CATEGORY,
                      _HEMORRHAGE, _MENINGES)
