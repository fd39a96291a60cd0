"""What the ICHVolume module is made of; in a folder of its own: Slicer takes every ICHVolume/*.py for a module."""
