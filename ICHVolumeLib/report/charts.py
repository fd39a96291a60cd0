"""Small drawings in SVG: the volume against ABC/2 and 30 mL, the bleed from slice to slice, and the volumes of many."""

from textwrap import wrap

import numpy as np

from ..core.ct_volume import CTVolume
from ..core.labels import ICH, IVH
from ..core.result import Result
from .summary import interval_text, ml

WIDE_PX, NARROW_PX = 940, 364  # of a chart on a page, and on a phone
_NICE = (1, 2, 2.5, 5, 10)
TO_THE_LEFT = ' text-anchor="end"'
_HISTOGRAM_ML = (0, 2, 5, 10, 20, 30, 45, 60, 90)  # lower ends; 30 mL is one point in the ICH score


def volume_ruler(result: Result, width: int = WIDE_PX) -> str:
    """ICH volume, its interval as a band and ABC/2 on one scale, over the line at the 30 mL of the ICH score."""
    volume_ml, abc2 = result.volume_ml, result.abc2
    if abc2 is None:
        return ""
    interval_ml = result.interval_ich_ml
    reach = max(volume_ml.ich, abc2.coniglobus_ml, 36.0, interval_ml[1] if interval_ml else 0) * 1.12
    legend = f"ICH volume {ml(volume_ml.ich)}" + (f", {interval_text(result, interval_ml)}" if interval_ml else "")
    lines = [legend] if width == WIDE_PX else wrap(legend, (width - 25) // 6)
    extra = 0 if width == WIDE_PX else 16 * len(lines)  # ABC/2 stands below there
    height, left, right, y = 86 + extra, 8, 16, 34

    def x(value):
        return left + value / reach * (width - left - right)

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="ICH volume and ABC/2 on one scale" '
             'font-size="12">',
             f'<path d="M{left} {y}H{width - right}" stroke="#c4ced6" stroke-width="2" stroke-linecap="round"/>']
    for tick in _ticks(reach):
        unit = " mL" if tick == _ticks(reach)[-1] else ""
        parts.append(f'<path d="M{x(tick):.1f} {y}v6" stroke="#c4ced6" stroke-width="1.5"/>'
                     f'<text x="{x(tick):.1f}" y="{y + 21}" text-anchor="middle" fill="#55636f">{tick:g}{unit}</text>')
    to_the_left = x(30) + 200 > width
    parts.append(f'<path d="M{x(30):.1f} {y - 21}v32" stroke="#17212b" stroke-width="1.3" stroke-dasharray="3 3"/>'
                 f'<text x="{x(30) + (-5 if to_the_left else 5):.1f}" y="{y - 13}" fill="#17212b"'
                 f'{TO_THE_LEFT if to_the_left else ""}>30 mL: one point in the ICH score</text>')
    if interval_ml:
        low, high = (x(end) for end in interval_ml)
        parts.append(f'<rect class="band" x="{low:.1f}" y="{y - 9}" width="{high - low:.1f}" height="18" rx="3" '
                     'fill="#c9302c" fill-opacity=".24" stroke="#c9302c" stroke-opacity=".55"/>')
    parts.append(f'<circle cx="{x(volume_ml.ich):.1f}" cy="{y}" r="7" fill="#c9302c"/>'
                 f'<path transform="translate({x(abc2.coniglobus_ml):.1f} {y}) rotate(45)" '
                 'd="M-5.2-5.2h10.4v10.4h-10.4z" fill="#fff" stroke="#12556b" stroke-width="2"/>')
    parts.append(_ruler_legend(lines, f"ABC/2 {ml(abc2.coniglobus_ml)}", extra, left))
    return "".join((*parts, "</svg>"))


def _ruler_legend(lines, second_text, extra, left):
    """Below the scale: what the circle is, and behind it, or on a phone below it, what the square is."""
    second, down = (17, extra) if extra else (56 + 6.2 * len(lines[0]), 0)  # at the 12 px that the text has
    said = "".join(f'<text x="17" y="{16 * number}">{line}</text>' for number, line in enumerate(lines))
    return (f'<g transform="translate({left} 82)" fill="#55636f"><circle cx="6" cy="-4" r="5" fill="#c9302c"/>{said}'
            f'<path transform="translate({second - 11:.0f} {down - 4}) rotate(45)" '
            'd="M-4-4h8v8h-8z" fill="#fff" stroke="#12556b" stroke-width="2"/>'
            f'<text x="{second:.0f}" y="{down}">{second_text}</text></g>')


def area_chart(ct: CTVolume, mask: np.ndarray, highlighted: int | None, width: int = WIDE_PX) -> str:
    """One bar per slice; height its marked area (cm2), width its slab height: a bar's area is its volume."""
    heights_mm = np.asarray(ct.slab_heights_mm)
    edges = np.concatenate([[0], np.cumsum(heights_mm)])
    areas = {label: np.count_nonzero(mask == label.value, axis=(1, 2)) * ct.pixel_area_mm2 / 100
             for label in (ICH, IVH)}
    top = max(float(sum(areas.values()).max()), 0.1)
    height, left, bottom = 164, 44, 24
    scale_x, scale_y = (width - left - 6) / edges[-1], (height - bottom - 18) / (top * 1.05)
    base = height - bottom
    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Area per slice" font-size="12">']
    for tick in _ticks(top * 1.05):
        y = base - tick * scale_y
        parts.append(f'<path d="M{left} {y:.1f}H{width - 6}" stroke="#dfe5ea"/>'
                     f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#55636f">{tick:g}</text>')
    parts.append(f'<text x="{left - 8}" y="{base + 17}" text-anchor="end" fill="#55636f">slice</text>'
                 '<text x="36" y="11" text-anchor="end" fill="#55636f">cm²</text>')
    for k in range(len(heights_mm)):
        parts.append(_bar(left + edges[k] * scale_x, heights_mm[k] * scale_x, base,
                          [(areas[label][k] * scale_y, name) for label, name in ((ICH, "#c9302c"), (IVH, "#d98200"))],
                          f"slice {k + 1}: " + ", ".join(f"{label.name} {areas[label][k]:.1f} cm²"
                                                         for label in (ICH, IVH) if areas[label][k])))
    for k in _labelled(len(heights_mm), highlighted, most=width // 39):
        x = left + (edges[k] + edges[k + 1]) / 2 * scale_x
        ink = ' font-weight="650" fill="#17212b"' if k == highlighted else ' fill="#55636f"'
        parts.append(f'<text x="{x:.1f}" y="{base + 17}" text-anchor="middle"{ink}>{k + 1}</text>')
    return "".join((*parts, "</svg>"))


def _bar(x, width, base, pieces, title):
    place = f'x="{x + 0.5:.1f}" width="{max(width - 1, 0.6):.1f}"'
    y, parts = base, [f'<rect {place} y="{base}" height="2" fill="#c4ced6"/>']
    for size, color in pieces:
        if size > 0:
            y -= size
            parts.append(f'<rect {place} y="{y:.1f}" height="{size:.1f}" fill="{color}"><title>{title}</title></rect>')
    return "".join(parts)


def _labelled(slices, highlighted, most):
    """Every 1st, 2nd, 5th, 10th ... slice number, and the highlighted one in place of its neighbours."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200) if slices / step <= most)
    regular = [k for k in range(slices) if (k + 1) % step == 0 or k == 0]
    if highlighted is None:
        return regular
    return [k for k in regular if abs(k - highlighted) >= 0.6 * step] + [highlighted]


def _ticks(reach):
    """Round numbers from 0 to reach, about five of them."""
    rough = reach / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(nice * power for nice in _NICE if nice * power >= rough)
    return [round(n * step, 10) for n in range(int(reach / step) + 1)]


def volume_histogram(volumes_ml: list[float]) -> str:
    """How many patients have an ICH of which size; 0 is counted apart."""
    width, height, base = 1150, 128, 104
    lows = np.asarray(_HISTOGRAM_ML, float)
    values = np.asarray(volumes_ml, float)
    inside = np.searchsorted(lows, values[values > 0], side="right") - 1
    counts = [int((values <= 0).sum()), *np.bincount(inside, minlength=len(lows)).tolist()]
    ends = [f"{low:g}\u2013{high:g}" for low, high in zip(lows[:-1], lows[1:], strict=True)]
    names = ["none", *ends, f"{lows[-1]:g} mL or more"]
    step = width / len(counts)
    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="patients by ICH volume">',
             f'<line x1="0" y1="{base}" x2="{width}" y2="{base}"/>']
    for number, (count, name) in enumerate(zip(counts, names, strict=True)):
        tall = 84 * count / max(counts)
        css = "none" if not number else "bar large" if lows[number - 1] >= 30 else "bar"
        middle = (number + 0.5) * step
        parts.append(f'<rect class="{css}" x="{number * step + 5:.1f}" y="{base - tall:.1f}" width="{step - 10:.1f}" '
                     f'height="{tall:.1f}"/><text class="count" x="{middle:.1f}" y="{base - tall - 5:.1f}" '
                     f'text-anchor="middle">{count:,}</text><text x="{middle:.1f}" y="{base + 17}" '
                     f'text-anchor="middle">{name}</text>')
    return "".join((*parts, "</svg>"))
