"""The network (attfocusnet.py, needs torch) and its weights on disk (weights.py, does not)."""
