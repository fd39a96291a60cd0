"""Cases of any data set as heads that hemorrhages are put into."""

from collections.abc import Iterable, Iterator

import numpy as np

from ..core.errors import InputError
from ..datasets.case import DatasetCase
from ..segmentation.orientation import Orientation
from .backgrounds import PIXEL_MM, Background, make_background

FRAME_PX = 512  # rows and columns of a background
BEYOND_HU = -200.0  # what lies beyond the image: as dark as the saturated black of an 8-bit slice


def backgrounds_of(cases: Iterable[DatasetCase]) -> Iterator[Background]:
    """A background of every case without blood; cases with blood are passed over, as it would be learnt as brain.

    Raises InputError for a case of which nobody knows whether it bleeds, or that is not axial.
    """
    for case in cases:
        if case.bleeds is None:
            raise InputError(f"{case.id}: has no mask, so whether it bleeds is not known; give it one (an empty one if "
                             "there is no blood), or leave it out.")
        if not case.bleeds:
            yield background_of(case)


def background_of(case: DatasetCase) -> Background:
    """The case's slices, turned as backgrounds lie and brought to PIXEL_MM; its kind is the name of its data set."""
    orientation = Orientation.of(case.ct)
    spacing_mm = case.ct.pixel_spacing_mm[::-1] if orientation.transpose else case.ct.pixel_spacing_mm
    hu = np.stack([rescale(one, spacing_mm) for one in orientation.view(case.ct.hu)])
    return make_background(case.id, case.dataset, hu, float(np.median(np.abs(case.ct.slice_steps_mm))))


def rescale(hu: np.ndarray, spacing_mm: float | tuple[float, float], nearest: bool = False) -> np.ndarray:
    """One slice to PIXEL_MM and a frame of FRAME_PX around its centre, int16; nearest: labels (uint8), 0 beyond.

    spacing_mm: of square pixels, or along rows, then columns.
    """
    import SimpleITK as sitk

    along_rows, along_columns = (float(one) for one in np.broadcast_to(spacing_mm, 2))
    image = sitk.GetImageFromArray(hu.astype(np.float32))
    image.SetSpacing((along_columns, along_rows))
    center_mm = (np.array(hu.shape[::-1]) - 1) / 2 * (along_columns, along_rows)
    origin = center_mm - (FRAME_PX - 1) / 2 * PIXEL_MM
    how, beyond = (sitk.sitkNearestNeighbor, 0.0) if nearest else (sitk.sitkLinear, BEYOND_HU)
    frame = sitk.Resample(image, (FRAME_PX, FRAME_PX), sitk.Transform(), how, tuple(origin), (PIXEL_MM, PIXEL_MM),
                          (1, 0, 0, 1), beyond)
    return sitk.GetArrayFromImage(frame).astype(np.uint8 if nearest else np.int16)
