"""Other people's scans as one record (case.py), one file per data set, found by name in registry.py."""
