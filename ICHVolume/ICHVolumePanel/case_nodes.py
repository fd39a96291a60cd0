"""Which segmentation node a run's mask comes into, and which of earlier runs go: no work of a person is lost."""

from ICHVolumeLib.core.labels import LABELS, OUTSIDE_BRAIN
from ICHVolumeLib.imaging.volume import volume_ml

from . import scene, scene_lines

MEASURED_KEY = "corrections"  # attribute of a segmentation: A, B, C and midline as corrected on it


def name_of(volume_node) -> str:
    return f"{volume_node.GetName()} bleed"


def put(case, segmentation):
    """Generator; returns the node that has this run's mask now: the one looked at, or beside it one of its own where a
    person changed that."""
    mask, outside = segmentation.mask, None
    if segmentation.outside is not None:
        outside = segmentation.outside, OUTSIDE_BRAIN
    node, volume_node, edited = case.segmentation_node, case.volume_node, (yield from _edited(case))
    if node is None or not scene.is_in_scene(node) or edited is not None:
        return (yield from scene.new_segmentation_in_steps(volume_node, mask, LABELS, name_of(volume_node), outside))
    yield from scene.replace_mask_in_steps(node, mask, LABELS, volume_node, outside)
    scene.remember(node, MEASURED_KEY, "")
    return node


def outside_ml(case) -> float | None:
    """Of the blood outside the brain as its segment is now; None where no run looked for it."""
    seen_ml = case.record and case.record.segmentation.outside_ml
    if not seen_ml or not scene.is_in_scene(case.segmentation_node) or not scene.is_outside_edited(
            case.segmentation_node):
        return seen_ml
    return volume_ml(case.outside_mask(), case.ct.voxel_volumes_mm3)


def kept(case):
    """Generator; returns the segmentation looked at when it holds any work of a person, other segments included."""
    node = yield from _edited(case)
    return node or (case.segmentation_node if case.uncounted_segments() else None)


def remove_outdated(volume_node, newest):
    """Generator: what earlier runs marked on this CT goes, unless a person worked on it."""
    for node in scene.find_segmentations_for(volume_node):
        if node is newest or not scene.is_in_scene(node):
            continue
        try:
            is_untouched = not _is_edited(node, volume_node) and not scene.uncounted_segments(node)
        except ValueError:
            continue  # what cannot be compared stays
        if is_untouched:  # looked at and removed in one step: nobody edits it in between
            scene_lines.remove_segmentation(node)
        yield


def _edited(case):
    """Generator; returns the segmentation when a person changed its mask, or A, B or C on it, else None."""
    node = case.segmentation_node
    if node is None or not scene.is_in_scene(node):
        return None
    is_edited = _is_edited(node, case.volume_node)
    yield
    return node if is_edited else None


def _is_edited(node, volume_node) -> bool:
    if scene.recall(node, MEASURED_KEY) not in ("", "{}"):
        return True
    mask = scene.mask_from_segmentation(node, volume_node)
    return scene.is_outside_edited(node) or scene.is_edited(node, mask)
