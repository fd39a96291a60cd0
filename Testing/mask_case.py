"""For tests of masks: the size of their phantom, and the one finding of a code."""

SMALL = {"pixel_mm": 3.0, "columns": 64, "rows": 72, "step_mm": 10.0, "head": False}


def only(findings, code):
    found = [finding for finding in findings if finding.code == code]
    assert len(found) == 1, findings
    return found[0]
