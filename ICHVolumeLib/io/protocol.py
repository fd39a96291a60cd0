"""What series descriptions and kernel names mean, by the makers' habits."""

import re

_BONE_KERNEL = re.compile(r"bone|edge|lung|sharp|^[bhjuq][a-z]?[5-9]\d|^fc ?[358]\d|^(yb|yc|yd|ye|d|e)$", re.I)
_CONTRAST = re.compile(r"\bcta\b|angio|contrast|\bc\+|\+c\b|post[ -]?con|perfusion|venogra|\bctv\b|\bkm\b", re.I)
_NO_CONTRAST = re.compile(r"non?[ -]?contrast|without|w/o|\bncct\b|unenhanced|plain|\bohne\b", re.I)
_HEAD = re.compile(r"head|brain|skull|crani|cerebr|neuro|encephal|stroke|kopf|sch(ae|\u00e4)del|hirn|cr[a\u00e2]ne|"
                   r"t[e\u00ea]te|cabeza|testa", re.I)
_ELSEWHERE = re.compile(r"chest|thora|\blungs?\b|abd|pelvi|\bneck|\bhals\b|spine|cervi|lumb|\b[hbl]ws\b|cardi|heart|"
                        r"coronar|liver|kidney|sinus|\bfac(e|ial)|orbit|temporal|petrous|knee|\bhip|shoulder|extrem|"
                        r"whole ?body", re.I)


def is_bone_kernel(kernel: str) -> bool:
    """Sharp reconstruction kernels: Siemens H60s, Hr68, B70f; GE BONE, EDGE; Canon FC30, FC81; Philips YC, D; ..."""
    return any(_BONE_KERNEL.search(part.strip()) for part in kernel.split("\\"))


def mentions_contrast(text: str) -> bool:
    """"CTA head", "brain C+", "post contrast"; not "non-contrast" or "without contrast"."""
    return bool(_CONTRAST.search(text)) and not _NO_CONTRAST.search(text)


def region_points(text: str) -> int:
    """1 when the words name the head, -1 when they name another region, 0 when neither or both."""
    return bool(_HEAD.search(text)) - bool(_ELSEWHERE.search(text))
