"""The MRML scene as plain values: CT volume node to arrays, mask to segmentation node and back.

With scene_lines (ABC/2 lines, slice views, table) and scene_export (files) this is the one adapter that
speaks MRML. It imports only slicer, vtk and numpy, and runs the same in 3D Slicer and on slicer-core.

Measuring frame. Lengths and volumes are those of the scan as acquired:
- a linear parent transform (a registration) moves CT, mask and lines together and changes no number;
- the acquisition transform that Slicer's DICOM reader adds for uneven slice positions IS the scan's geometry
  and is applied: slice_origins_ras holds every slice's true position;
- any other warp is left out of the numbers, and ct_arrays says so in its findings.
All RAS coordinates that this adapter gives and takes are in the coordinate system of `frame_of(volume_node)`.
"""

import numpy as np
import slicer
import vtk


def problem_with_volume(volume_node) -> str | None:
    """Why this node cannot be segmented, as one sentence for the user, or None when it can.

    Covers: nothing chosen, deleted from the scene, labelmap, colour or vector image, no voxels, one slice,
    MR (by its DICOM modality), not Hounsfield units. What a scan merely should be warned of (tilt, contrast, ...) is
    ICHVolumeLib.checks.check_ct's.
    """
    raise NotImplementedError


def ct_arrays(volume_node) -> dict:
    """The CT as plain values; CTVolume(hu, ijk_to_ras, slice_origins_ras, ScanInfo(**info), findings) fits them.

    hu: int16 (slices, rows, columns), a copy; ijk_to_ras: 4x4 float, shear kept; slice_origins_ras: (slices, 3)
    float, RAS mm of voxel (i=0, j=0) of every slice; info: dict of ICHVolumeLib.volume.ScanInfo's fields;
    findings: list of (code, severity, message).
    Raises ValueError with problem_with_volume's sentence.
    """
    raise NotImplementedError


def frame_of(volume_node):
    """The transform node in whose coordinates this CT's numbers and lines are given, or None for the world."""
    raise NotImplementedError


def new_segmentation(volume_node, mask, labels, name="ICH"):
    """Add a segmentation of the CT to the scene and return its vtkMRMLSegmentationNode.

    mask: uint8 (slices, rows, columns) on the CT's grid; labels: objects with value, name, color (0..1 RGB) and
    terminology (ICHVolumeLib.labels.LABELS). Every label gets a segment, empty or not, so it can be painted at once.
    Same grid and parent transform as the CT; closed surface made and shown in 3D; mask noted as automatic
    (see is_edited) and the CT as the source (see volume_of).
    Raises ValueError when the mask's shape is not the CT's.
    """
    raise NotImplementedError


def replace_mask(segmentation_node, mask, labels, volume_node):
    """Put a new automatic mask into an existing segmentation; missing segments are made, foreign ones are left."""
    raise NotImplementedError


def mask_from_segmentation(segmentation_node, volume_node, names=("ICH", "IVH")) -> np.ndarray:
    """uint8 (slices, rows, columns) on the CT's grid: names[0] -> 1, names[1] -> 2, ...

    A segment is found by the mark new_segmentation put on it (so it may be renamed), else by its ID, else by its
    name in any case. A missing segment is empty; where segments overlap the later name wins. What was painted
    outside the CT is left out; another grid or another parent transform is resampled (nearest voxel).
    Raises ValueError when a node is gone.
    """
    raise NotImplementedError


def uncounted_segments(segmentation_node, names=("ICH", "IVH")) -> list[str]:
    """Names of the non-empty segments that mask_from_segmentation leaves out, for a hint to the user."""
    raise NotImplementedError


def is_edited(segmentation_node, mask) -> bool:
    """True when the mask differs from the automatic one; undoing every edit makes it False again, saving keeps it."""
    raise NotImplementedError


def volume_of(segmentation_node):
    """The CT this segmentation was made from, or None when it is not ours or the CT is gone."""
    raise NotImplementedError


def find_segmentations_for(volume_node) -> list:
    """Segmentation nodes that new_segmentation made from this CT, oldest first (also after loading a scene)."""
    raise NotImplementedError


def remember(node, key: str, text: str) -> None:
    """Keep a text (e.g. the AI result's JSON) with a node; saved with the scene. An empty text forgets it."""
    raise NotImplementedError


def recall(node, key: str) -> str:
    """What remember() kept, or ""."""
    raise NotImplementedError


def show_3d(segmentation_node, shown=True) -> None:
    """Show or hide the closed surface in the 3D views (made on first use)."""
    raise NotImplementedError


class Observation:
    """Observers on MRML nodes that end together: stop() may be called twice and after the nodes are gone."""

    def __init__(self, callback):
        """callback: called without arguments."""
        raise NotImplementedError

    def watch(self, node, *events):
        """Add observers for these events; returns self."""
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


def observe_mask_edits(segmentation_node, callback) -> Observation:
    """Call callback() after every edit, segment added, removed or renamed. One edit may call twice: debounce."""
    raise NotImplementedError


def observe_volume(volume_node, callback) -> Observation:
    """Call callback() when the CT's voxels, matrix or parent transform change."""
    raise NotImplementedError
