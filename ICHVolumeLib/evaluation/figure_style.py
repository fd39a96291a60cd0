"""How the figures of a study look: readable in print, in grey and for colour-blind readers.

Colours of Okabe & Ito 2008 (https://jfly.uni-koeln.de/color), a marker and a dash of its own for each model beside
them; text of 8 points at a page's width of 180 mm.
"""

from contextlib import contextmanager
from pathlib import Path

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
INK, FAINT, TRUTH = "#222222", "#b8b8b8", "#000000"
PAGE_INCHES = 7.1  # 180 mm
_SETTINGS = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
             "legend.fontsize": 7, "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
             "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK, "text.color": INK,
             "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "pdf.fonttype": 42,
             "legend.frameon": False, "figure.constrained_layout.use": True}


@contextmanager
def style():
    """Around the making and the saving of a figure. Needs matplotlib."""
    from matplotlib import rc_context

    with rc_context(_SETTINGS):
        yield


def new_figure(width: float = PAGE_INCHES, height: float = 3.0):
    """A figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure, out: Path, name: str) -> list[Path]:
    """NAME.pdf for print and NAME.png to look at; the same figure gives the same bytes."""
    files = [out / f"{name}.pdf", out / f"{name}.png"]
    figure.savefig(files[0], metadata={"CreationDate": None, "Producer": None, "Creator": None})
    figure.savefig(files[1], dpi=200, metadata={"Software": None})
    return files


def look(place: int) -> dict:
    """Colour, marker and dash of the model at this place."""
    return {"color": COLORS[place % len(COLORS)], "marker": MARKERS[place % len(MARKERS)],
            "linestyle": DASHES[place % len(DASHES)]}
