"""How many threads SimpleITK's filters use in this process."""


def use_one_itk_thread() -> None:
    """For the whole process: where other processes use the cores, ITK's threads only wait for each other."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
