"""Pictures of slice and 3D views without a window: the real displayable managers on Mesa's EGL.

They show what MRML draws (CT, mask, surface, lines), not 3D Slicer's window; never call them Slicer screenshots.
"""

import numpy as np

SLICE_MANAGERS = ("vtkMRMLSegmentationsDisplayableManager2D", "vtkMRMLMarkupsDisplayableManager",
                  "vtkMRMLModelSliceDisplayableManager")
THREE_D_MANAGERS = ("vtkMRMLCameraDisplayableManager", "vtkMRMLViewDisplayableManager",
                    "vtkMRMLModelDisplayableManager", "vtkMRMLSegmentationsDisplayableManager3D",
                    "vtkMRMLMarkupsDisplayableManager")
ORIENTATIONS = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}


class _View:
    """A render window without a screen whose displayable managers follow one MRML view node."""

    def __init__(self, slicer, size, factory, managers):
        import vtk

        self.slicer, self.size = slicer, size
        self.window = vtk.vtkEGLRenderWindow()
        self.window.SetOffScreenRendering(True)
        self.window.SetSize(*size)
        self.window.SetMultiSamples(0)
        self.renderer = vtk.vtkRenderer()
        self.window.AddRenderer(self.renderer)
        interactor = vtk.vtkGenericRenderWindowInteractor()
        interactor.SetRenderWindow(self.window)
        self.window.SetInteractor(interactor)
        factory.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        for name in managers:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.group = factory.InstantiateDisplayableManagers(self.renderer)
        self._interactor = interactor

    def picture(self):
        """uint8 (height, width, 3), top row first."""
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()

    def close(self):
        self.group.SetMRMLDisplayableNode(None)
        self.window.Finalize()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class SliceView(_View):
    """One slice view ("Red", "Yellow" or "Green") with a volume as its background."""

    def __init__(self, slicer, volume_node, name="Red", size=(512, 512), window_hu=80, level_hu=40):
        import vtk

        super().__init__(slicer, size, slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(), SLICE_MANAGERS)
        application_logic = slicer.app.applicationLogic()
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(slicer.mrmlScene)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application_logic)
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.node = self.logic.AddSliceNode(name)
        self.node.SetOrientation(ORIENTATIONS[name])
        self.node.SetDimensions(*size, 1)
        logics = application_logic.GetSliceLogics() or vtk.vtkCollection()
        logics.AddItem(self.logic)
        application_logic.SetSliceLogics(logics)
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume_node.GetID())
        volume_node.CreateDefaultDisplayNodes()
        display = volume_node.GetDisplayNode()
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(window_hu, level_hu)
        self.logic.FitSliceToBackground()
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        mapper.SetInputConnection(self.logic.GetImageDataConnection())
        background = vtk.vtkActor2D()
        background.SetMapper(mapper)
        background.SetLayerNumber(0)
        self.renderer.AddViewProp(background)
        self.group.SetMRMLDisplayableNode(self.node)

    def close(self):
        super().close()
        self.slicer.app.applicationLogic().GetSliceLogics().RemoveItem(self.logic)
        nodes = self.logic.GetSliceNode(), self.logic.GetSliceCompositeNode()
        self.logic.SetMRMLScene(None)
        for node in nodes:  # singletons: a second view of the same name would be given an orphan
            self.slicer.mrmlScene.RemoveNode(node)


class ThreeDView(_View):
    """One 3D view; the camera looks from `direction_ras` (default: from in front, left and above)."""

    def __init__(self, slicer, size=(512, 512), direction_ras=(-0.6, 1.0, 0.5)):
        super().__init__(slicer, size, slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(),
                         THREE_D_MANAGERS)
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLViewNode")
        node.UnRegister(None)
        node.SetName("View1")
        node.SetLayoutName("1")
        self.node = slicer.mrmlScene.AddNode(node)
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self.direction = np.asarray(direction_ras, float)
        self.group.SetMRMLDisplayableNode(self.node)

    def close(self):
        super().close()
        self.slicer.mrmlScene.RemoveNode(self.node)

    def picture(self):
        self.window.Render()  # builds what there is to see before the camera is put round it
        camera = self.renderer.GetActiveCamera()
        bounds = np.array(self.renderer.ComputeVisiblePropBounds()).reshape(3, 2)
        middle = bounds.mean(axis=1)
        camera.SetFocalPoint(*middle)
        camera.SetPosition(*(middle + self.direction / np.linalg.norm(self.direction) * 400))
        camera.SetViewUp(0, 0, 1)
        self.renderer.ResetCamera()
        camera.Zoom(1.15)
        return super().picture()


def save_png(picture, path):
    """Write a uint8 (height, width, 3) picture."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = vtk.vtkImageData()
    image.SetDimensions(picture.shape[1], picture.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(picture[::-1]).reshape(-1, 3), deep=True))
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(image)
    writer.Write()
