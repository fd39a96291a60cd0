"""Cut the classes that the panel uses out of the whole API file: python Testing/bridge/cut_api.py whole.json

The whole file lists properties, slots, invokables and signals of Slicer's widget classes, read from the C++ headers of
the revisions that its "source" names.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULE = HERE.parents[1] / "ICHVolume"
ALWAYS = ("QObject", "QWidget", "QApplication", "QMessageBox", "QFileDialog", "QHBoxLayout", "QGridLayout",
          "qSlicerScriptedLoadableModule", "qSlicerCoreApplication", "qSlicerApplication", "QMainWindow",
          "qSlicerScriptedLoadableModuleWidget", "qSlicerLayoutManager")


def used_classes(whole: dict) -> list[str]:
    """Classes named in the panel's .ui and Python files, with their bases."""
    text = "".join(path.read_text(encoding="utf-8") for kind in ("*.ui", "*.py") for path in MODULE.rglob(kind))
    named = set(re.findall(r"\b(?:Q|ctk|qMRML|qSlicer)[A-Z]\w+", text)) | set(ALWAYS)
    return sorted({base for name in named if name in whole for base in whole[name]["mro"] if base in whole})


def main(whole_file):
    content = json.loads(Path(whole_file).read_text(encoding="utf-8"))
    classes = {name: content["classes"][name] for name in used_classes(content["classes"])}
    text = json.dumps({"source": content["source"], "classes": classes}, separators=(",", ":"), sort_keys=True)
    (HERE / "slicer_api.json").write_text(text.replace('"},"', '"},\n"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
