"""Pieces of HTML that every part of the page is made of; all text from outside goes through `text`."""

from html import escape

_SEVERITY = {"info": "Note", "warning": "Check", "error": "Cannot be used"}


def text(value) -> str:
    """Escaped."""
    return escape(str(value))


def css_string(value) -> str:
    """A quoted string for a style sheet inside a page; what is neither letter, digit, space nor .-_,() is escaped."""
    return '"' + "".join(one if one.isalnum() or one in " .-_,()" else f"\\{ord(one):x} " for one in str(value)) + '"'


def finding_item(finding) -> str:
    """One finding of the list."""
    tag = _SEVERITY.get(finding.severity, finding.severity)
    return f'<li class="{text(finding.severity)}"><span class="tag">{text(tag)}</span>{text(finding.message)}</li>'


def definitions(entries) -> str:
    """(name, value) pairs, those without a value left out."""
    body = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in entries if value)
    return f"<dl>{body}</dl>"
