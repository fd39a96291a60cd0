"""Real data sets as they lie on disk, one file each, all giving the same record."""
