"""What the views show: the chosen CT in the slice views, the bleed in the middle of the 3D view."""

import slicer


def show_volume(volume_node) -> None:
    """Put the CT into the slice views, fitted to them; views that show it already stay as they are."""
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    shown = [{node.GetBackgroundVolumeID(), node.GetForegroundVolumeID()} for node in composites]
    if composites and all(volume_node.GetID() in ids for ids in shown):
        return
    logic = slicer.app.applicationLogic()
    selection = logic.GetSelectionNode()
    if selection is not None:
        selection.SetActiveVolumeID(volume_node.GetID())
        logic.PropagateVolumeSelection()


def center_3d() -> None:
    """A new 3D view looks at the scene's origin, where no head need be. Without a main window there is none."""
    manager = slicer.app.layoutManager()
    if manager is not None:
        manager.resetThreeDViews()
