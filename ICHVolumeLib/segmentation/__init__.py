"""From a scan to the mask of its hemorrhage: orientation, grid, slices in, network, threshold, clean-up, interval."""
