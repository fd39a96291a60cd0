"""Files to values and back: head CTs, masks, results; each kind has a module of its name, read_ct reads any CT."""
