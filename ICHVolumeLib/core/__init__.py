"""Values that travel, and nothing else: scan, labels, findings, results, errors; and how files are replaced whole."""
