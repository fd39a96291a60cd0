"""How fast this computer does a case, and against what: the parts of `ichvolume bench`, put together in run.py.

Everything is measured here and now; nothing is remembered from another computer. See rounds.py for the protocol.
"""
