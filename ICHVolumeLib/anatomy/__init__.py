"""Where in the head something lies: the scan brought into MNI-like millimetres, and what lies there."""
