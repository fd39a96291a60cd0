"""The bar of 5 cm in the lower right corner of a picture that is drawn in mm."""

SCALE_BAR_MM = 50.0


def scale_bar(width_mm: float, height_mm: float) -> str:
    """SVG; nothing where the picture is hardly wider than the bar."""
    if width_mm <= 1.5 * SCALE_BAR_MM:
        return ""
    x, y = width_mm - SCALE_BAR_MM - 5, height_mm - 5
    ticks = "".join(f"M{x + step:.1f} {y - (2.5 if step % 50 == 0 else 1.5):.1f}V{y:.1f}"
                    for step in range(0, int(SCALE_BAR_MM) + 1, 10))
    return (f'<path class="scale" d="M{x:.1f} {y:.1f}h{SCALE_BAR_MM:.0f}{ticks}"/>'
            f'<text class="scale-text" x="{x + SCALE_BAR_MM / 2:.1f}" y="{y - 3.5:.1f}" '
            f'text-anchor="middle">{SCALE_BAR_MM / 10:.0f} cm</text>')
