"""Pieces of HTML that every part of the page is made of; all text from outside goes through `text`."""

from html import escape

_SMALL = "font: 8.5px sans-serif; color: #55636f; white-space: nowrap"
_SEVERITY = {"info": "Note", "warning": "Check", "error": "Cannot be used"}


def text(value) -> str:
    """Escaped."""
    return escape(str(value))


def css_string(value) -> str:
    """A quoted string for a style sheet inside a page; what is neither letter, digit, space nor .-_,() is escaped."""
    return '"' + "".join(one if one.isalnum() or one in " .-_,()" else f"\\{ord(one):x} " for one in str(value)) + '"'


def page_margins(whose) -> str:
    """Style of what stands on every printed page: whose it is, and the page number (where a browser knows it)."""
    return (f"@page {{ @bottom-left {{ content: {css_string(whose)}; {_SMALL} }} "
            '@bottom-right { content: "Page " counter(page) " of " counter(pages); ' + _SMALL + " } }")


def finding_item(finding) -> str:
    """One finding of the list."""
    tag = _SEVERITY.get(finding.severity, finding.severity)
    return f'<li class="{text(finding.severity)}"><span class="tag">{text(tag)}</span>{text(finding.message)}</li>'


def definitions(entries) -> str:
    """(name, value) pairs, those without a value left out."""
    body = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in entries if value)
    return f"<dl>{body}</dl>"
