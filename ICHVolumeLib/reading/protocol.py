"""What series descriptions and kernel names mean, by the makers' habits."""

import re

_BONE_KERNEL = re.compile(r"bone|edge|lung|sharp|^[bhjuq][a-z]?[5-9]\d|^fc ?[358]\d|^(yb|yc|yd|ye|d|e)$", re.I)
_CONTRAST = re.compile(r"\bcta\b|angio|contrast|\bc\+|\+c\b|post[ -]?con|perfusion|venogra|\bctv\b|\bkm\b", re.I)
_NO_CONTRAST = re.compile(r"non?[ -]?contrast|without|w/o|\bncct\b|unenhanced|plain|\bohne\b", re.I)


def is_bone_kernel(kernel: str) -> bool:
    """Sharp reconstruction kernels: Siemens H60s, Hr68, B70f; GE BONE, EDGE; Canon FC30, FC81; Philips YC, D; ..."""
    return any(_BONE_KERNEL.search(part.strip()) for part in kernel.split("\\"))


def mentions_contrast(text: str) -> bool:
    """"CTA head", "brain C+", "post contrast"; not "non-contrast" or "without contrast"."""
    return bool(_CONTRAST.search(text)) and not _NO_CONTRAST.search(text)
