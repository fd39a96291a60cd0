# STUB: packing into an archive is left to Slicer.
