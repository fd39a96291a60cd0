"""The child process that works for 3D Slicer, so that its window never waits."""
