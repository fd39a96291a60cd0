"""Sections at the panel's end that are used one after the other: the panel stays as high as the screen."""


def one_open(*sections) -> None:
    """Opening one of these ctkCollapsibleButtons folds the others."""
    for section in sections:
        section.connect("contentsCollapsed(bool)",
                        lambda is_folded, opened=section: is_folded or _fold(sections, opened))


def _fold(sections, opened):
    for section in sections:
        if section is not opened:
            section.collapsed = True
