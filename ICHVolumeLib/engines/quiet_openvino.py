"""OpenVINO without its usage report.

`import openvino` alone contacts an analytics server and writes an identifier into the home folder. A program
for hospitals contacts nobody. OpenVINO replaces the report by a stub when the package openvino_telemetry cannot be
imported, so that import is blocked first. Everything in this library imports OpenVINO through this module.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)

import openvino as ov  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["ops", "ov"]
