"""Check the panel's .ui and Python files against the names that Slicer's widget classes really have.

What cannot be told by reading (a widget handed through a function) is told by HINTS; everything else is left alone.
"""

import ast
import re
import xml.etree.ElementTree as ElementTree

from bridge import api

HINTS = {"editor": "qMRMLSegmentEditorWidget", "self.editor": "qMRMLSegmentEditorWidget",
         "self._editor": "qMRMLSegmentEditorWidget", "self._table": "QTableWidget", "self._process": "QProcess",
         "process": "QProcess", "item": "QTableWidgetItem", "combo": "QComboBox", "self._label": "QLabel"}
UI_NAMES = ("ui", "self.ui", "self._ui")
TEXT_PROPERTIES = ("text", "toolTip", "placeholderText", "windowTitle")
OWN_NAMES = {"connect", "disconnect", "property", "setProperty", "layout", "name", "objectName", "className"}


def lint_ui(text: str, parameter_names=None) -> list[str]:
    """Problems of a .ui file; parameter_names: fields of the parameter node, for SlicerParameterName."""
    root = ElementTree.fromstring(text)
    problems, seen = [], set()
    custom = {element.findtext("class") for element in root.iter("customwidget")}
    for widget in root.iter("widget"):
        name, class_name = widget.get("name"), widget.get("class")
        if name in seen:
            problems.append(f"{name}: the name is used twice")
        seen.add(name)
        if class_name not in api.classes():
            problems.append(f"{name}: Slicer has no widget class {class_name}")
            continue
        if not class_name.startswith("Q") and class_name not in custom:
            problems.append(f"{name}: {class_name} is missing under customwidgets")
        for entry in widget.findall("property"):
            problems += _ui_property(name, class_name, entry, parameter_names)
    problems += [f"{entry.findtext('sender')}: connect in Python, where the test sees it"
                 for entry in root.iter("connection")]
    return problems


def _ui_property(name, class_name, entry, parameter_names):
    key = entry.get("name")
    if key == "SlicerParameterName":
        value = entry.findtext("string")
        known = parameter_names is None or value in parameter_names
        return [] if known else [f"{name}: the parameter node has no {value}"]
    if entry.get("stdset") == "0" or key in api.names_of(class_name)["properties"]:
        return []
    return [f"{name}: {class_name} has no property {key}"]


def widgets_of(ui_text: str) -> dict[str, str]:
    """Object name -> class."""
    return {element.get("name"): element.get("class") for element in ElementTree.fromstring(ui_text).iter("widget")}


def lint_python(text: str, widgets: dict[str, str]) -> list[str]:
    """Problems of one Python file; line numbers first."""
    checker = _Checker(widgets)
    checker.visit(ast.parse(text))
    return [f"line {line}: {message}" for line, message in sorted(set(checker.problems))]


class _Checker(ast.NodeVisitor):
    def __init__(self, widgets):
        self.widgets, self.problems, self.classes = widgets, [], [dict(HINTS)]

    def say(self, node, message):
        self.problems.append((node.lineno, message))

    def visit_FunctionDef(self, node):  # noqa: N802
        self.classes.append(dict(self.classes[-1]))
        self.generic_visit(node)
        self.classes.pop()

    def visit_Assign(self, node):  # noqa: N802
        for target in node.targets:
            found = self.class_of(node.value)
            name = ast.unparse(target)
            if found and isinstance(target, (ast.Name, ast.Attribute)):
                self.classes[-1][name] = found
            elif isinstance(target, ast.Name) and not isinstance(node.value, ast.Constant):
                self.classes[-1].pop(name, None)
            if isinstance(target, ast.Attribute):
                self.check_set(target, node.value)
        self.generic_visit(node)

    def visit_Expr(self, node):  # noqa: N802
        if not isinstance(node.value, ast.Constant):  # a docstring is for developers
            self.generic_visit(node)

    def visit_Constant(self, node):  # noqa: N802
        self.check_sentence(node, node.value)

    def visit_JoinedStr(self, node):  # noqa: N802
        self.check_sentence(node, "".join(part.value if isinstance(part, ast.Constant) else "{}"
                                          for part in node.values))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def check_sentence(self, node, text):
        """A sentence is for the user, wherever it is made: _() wraps it."""
        if isinstance(text, str) and re.search(r"\w[^.;]* [^.]*\w.*[.;]$", text.strip()):
            self.say(node, f"{text.strip()[:40]!r}: what the user reads goes through _()")

    def visit_Call(self, node):  # noqa: N802
        function = node.func
        if isinstance(function, ast.Name) and function.id == "_":
            if not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)):
                self.say(node, "_() takes a plain text, else it cannot be translated; format it afterwards")
            return  # its text is translated
        if isinstance(function, ast.Attribute):
            class_name = self.class_of(function.value)
            if class_name:
                self.check_call(node, function, class_name)
        self.generic_visit(node)

    def visit_Attribute(self, node):  # noqa: N802
        owner = ast.unparse(node.value)
        if owner in UI_NAMES and node.attr not in self.widgets:
            self.say(node, f"the .ui has no {node.attr}")
        if owner == "slicer" and re.match(r"q(MRML|Slicer)[A-Z]", node.attr) and node.attr not in api.classes():
            self.say(node, f"Slicer has no class {node.attr}")
        if owner == "slicer.util":
            import slicer.util

            if not hasattr(slicer.util, node.attr):
                self.say(node, f"slicer.util has no {node.attr}")
        class_name = self.class_of(node.value)
        if class_name and not self.knows(class_name, node.attr):
            self.say(node, f"{class_name} has no {node.attr}")
        self.generic_visit(node)

    def check_call(self, node, function, class_name):
        names = api.names_of(class_name)
        if function.attr in names["properties"]:
            self.say(node, f"{class_name}.{function.attr} is a property in PythonQt, not a function")
        if function.attr in ("connect", "disconnect") and node.args and isinstance(node.args[0], ast.Constant):
            signature = str(node.args[0].value)
            match = re.fullmatch(r"(\w+)\([\w:,*& ]*\)", signature)
            if not match or match.group(1) not in names["signals"]:
                self.say(node, f"{class_name} has no signal {signature}")
        counts = api.argument_counts(class_name, function.attr)
        starred = any(isinstance(argument, ast.Starred) for argument in node.args)
        if counts and not starred and not any(low <= len(node.args) <= high for low, high in counts):
            self.say(node, f"{class_name}.{function.attr}() does not take {len(node.args)} arguments")
        if function.attr in ("setText", "setToolTip") and node.args:
            self.check_text(node, node.args[0])

    def check_set(self, target, value):
        class_name = self.class_of(target.value)
        if class_name and self.knows(class_name, target.attr) and \
                target.attr not in (*api.names_of(class_name)["properties"], "name"):
            self.say(target, f"{class_name}.{target.attr} is not a property and cannot be set")
        if class_name and target.attr in TEXT_PROPERTIES:
            self.check_text(target, value)

    def check_text(self, node, value):
        literal = value.value if isinstance(value, ast.Constant) else "x" if isinstance(value, ast.JoinedStr) else ""
        if isinstance(literal, str) and re.search("[A-Za-z]", literal):
            self.say(node, "a text that users read goes through _()")

    def class_of(self, node):
        """The widget class of an expression, where it can be told."""
        if isinstance(node, ast.Call):
            made = ast.unparse(node.func)
            match = re.fullmatch(r"(?:qt|ctk|slicer)\.((?:Q|ctk|qMRML|qSlicer)\w+)", made)
            return match.group(1) if match and match.group(1) in api.classes() else None
        name = ast.unparse(node)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in UI_NAMES:
            return self.widgets.get(node.attr)
        return self.classes[-1].get(name)

    @staticmethod
    def knows(class_name, attribute):
        names = api.names_of(class_name)
        return attribute in OWN_NAMES or any(attribute in kind for kind in names.values())
