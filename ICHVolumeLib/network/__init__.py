"""The networks by name (registry.py; base.py says what one offers) and weights on disk (weights.py): without torch.

AttFocusNet itself (attfocusnet.py) needs torch.
"""
