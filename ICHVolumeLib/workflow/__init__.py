"""A case from files to files; it conducts the other rooms and is what commands and the worker call."""
