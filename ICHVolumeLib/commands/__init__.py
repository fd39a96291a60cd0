"""One module per command: its docstring is the help text; add_arguments(parser) and run(args) are all it needs.

A new command is a new module here and its name in COMMANDS. Modules import nothing heavy at the top, so that
`ichvolume --help` answers at once.
"""

COMMANDS = ("segment", "measure", "compare", "cohort", "verify", "check", "sample", "demo", "bench", "train", "release",
            "evaluate", "study", "datasets", "real", "card")
