"""How large the picture of the bleed may be on the first printed page, so that it stands on it: A4, the style's sizes.

A style sheet cannot fill what is left of a page, and a picture that does not fit leaves a third of the page empty. So
the lines above it are counted here, in the widths of Arial; measured on pages printed by Chromium, right to some
millimetres.
"""

import re
from html import unescape

PAGE_MM, WIDTH_MM = 271.0, 186.0  # A4 less its margins
LARGEST_MM, SMALLEST_MM = 88.0, 40.0  # a picture; below, it goes to the next page in its full size
_NOTICE_MM, _RULER_MM, _HEADING_MM, _CAPTION_MM, _SLACK_MM = 10.0, 17.0, 8.0, 9.0, 5.0
_LINE_MM, _PARAGRAPH_MM, _FINDING_MM, _CARD_MM = 4.3, 1.4, 3.9, 31.0
_TEXT_MM, _SMALL_MM = 2.91, 2.65  # heights of the letters, 11 and 10 px
_FINDING_WIDE_MM, _CARDS_WIDE_MM, _GAP_MM = 179.0, (54.3, 47.7, 54.3), 6.4
_LETTERS = {letter: wide for wide, letters in (
    (0.22, "ijl'|"), (0.28, " .,:;!/tfI"), (0.33, "r()-"), (0.5, "ckJsvxyz"), (0.7, "ABCDEGHKNOPQRSUVwXY"),
    (0.85, "mMW%")) for letter in letters}  # the others 0.56
_TAG = re.compile(r"<[^>]+>")


def picture_mm(header: str, findings: str, cards: list[str], has_ruler: bool) -> float:
    """Height in mm. header, findings, cards: the HTML above the picture."""
    tallest = max((_card_mm(card, wide) for card, wide in zip(cards, _CARDS_WIDE_MM, strict=False)), default=0.0)
    above = _NOTICE_MM + _header_mm(header) + _findings_mm(findings) + tallest + _RULER_MM * has_ruler
    left = PAGE_MM - above - _HEADING_MM - _CAPTION_MM - _SLACK_MM
    return LARGEST_MM if left >= LARGEST_MM or left < SMALLEST_MM else round(left, 1)


def _header_mm(html):
    words, _, origin = html.partition('<div class="origin">')
    origin_lines = origin.split("<br>")
    origin_wide = min(WIDTH_MM / 2, max(_SMALL_MM * _ems(_words(line)) for line in origin_lines))
    left_wide = WIDTH_MM - _GAP_MM - origin_wide
    left = 9 + sum(_lines(part, left_wide, _TEXT_MM) * _LINE_MM + 2 for part in re.findall(r"<p.*?</p>", words))
    right = _LINE_MM * sum(_lines(line, origin_wide, _SMALL_MM) for line in origin_lines)
    return max(left, right) + 7


def _findings_mm(html):
    items = re.findall(r"<li.*?</li>", html)
    lines = (_lines(item, _FINDING_WIDE_MM, _TEXT_MM) for item in items)
    return sum(count * _LINE_MM + _FINDING_MM for count in lines) + 4 * bool(items)


def _card_mm(html, wide_mm):
    parts = [line for paragraph in re.findall(r"<p>.*?</p>", html) for line in paragraph.split("<br>")]
    return _CARD_MM + sum(_lines(part, wide_mm, _TEXT_MM) * _LINE_MM for part in parts) \
        + _PARAGRAPH_MM * html.count("<p>")


def _lines(html, wide_mm, letter_mm):
    """How many lines a browser breaks the words into; a word that is too long runs over."""
    room, lines, used = wide_mm / letter_mm, 1, 0.0
    for word in _words(html).split():
        length = _ems(word)
        if used and used + length > room:
            lines, used = lines + 1, 0.0
        while length > room + 0.01:
            lines, length = lines + 1, length - room
        used += length + 0.28
    return lines


def _words(html):
    return unescape(_TAG.sub(" ", html))


def _ems(words):
    """Width in heights of the letters."""
    return sum(_LETTERS.get(letter, 0.56) for letter in words)
