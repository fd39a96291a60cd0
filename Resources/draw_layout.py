"""Draw the plan of the library from its imports: python Resources/draw_layout.py [PNG] (needs matplotlib)

A room stands above all that it imports. Arrows that other arrows already imply are left out.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Testing"))

from library_imports import GRAPH, NAMES, room  # noqa: E402

PICTURE = ROOT / "Resources" / "Pictures" / "layout.png"
COLORS = {"values": "#dbe7f5", "a case": "#dff0e0", "the model": "#f7e8d3", "the doors": "#eee0f2"}
OF = {"values": ("core", "imaging", "network", "weights"),
      "a case": ("io", "quality", "engines", "segmentation", "postprocessing", "correction", "measure", "clinical",
                 "report", "workflow"),
      "the model": ("synthetic", "datasets", "training", "calibration", "evaluation", "experiments"),
      "the doors": ("commands", "worker", "bench")}


def room_imports() -> dict[str, set[str]]:
    rooms: dict[str, set[str]] = {room(module): set() for module in NAMES if room(module)}
    for module, names in GRAPH.items():
        if room(module):
            rooms[room(module)] |= {room(name) for name in names if room(name)} - {room(module)}
    rooms.pop("weights", None)
    return rooms


def floors_of(rooms: dict[str, set[str]]) -> dict[str, int]:
    """Ground floor 0: a room stands one above the highest that it imports."""
    def floor(name):
        return 1 + max((floor(other) for other in rooms[name]), default=-1)
    return {name: floor(name) for name in rooms}


def reduced(rooms: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without arrows that a longer way already implies."""
    def reach(name):
        return set().union(*({other} | reach(other) for other in rooms[name])) if rooms[name] else set()
    return {name: {other for other in others if not any(other in reach(via) for via in others - {other})}
            for name, others in rooms.items()}


def places_of(rooms: dict[str, set[str]], floors: dict[str, int]) -> dict[str, tuple[float, int]]:
    """(x from 0 to 10, floor) of every room: over what it imports, so that arrows cross little."""
    users: dict[str, set[str]] = {name: {other for other in rooms if name in rooms[other]} for name in rooms}
    x = {name: 5.0 + 0.01 * index for index, name in enumerate(sorted(rooms))}
    for sweep in range(40):
        beside = rooms if sweep % 2 == 0 else users
        for number in sorted(set(floors.values()), reverse=bool(sweep % 2)):
            names = [name for name in rooms if floors[name] == number]
            middle = {name: sum(x[other] for other in beside[name]) / len(beside[name]) if beside[name] else x[name]
                      for name in names}
            for index, name in enumerate(sorted(names, key=lambda name: (middle[name], name))):
                x[name] = (index + 0.5) / len(names) * 10
    return {name: (x[name], floors[name]) for name in rooms}


def draw(path: Path) -> None:
    rooms = room_imports()
    floors = floors_of(rooms)
    figure, axes = plt.subplots(figsize=(11, 8.2), dpi=110)
    places = places_of(reduced(rooms), floors)
    for name, others in reduced(rooms).items():
        for other in others:
            (x, y), (to_x, to_y) = places[name], places[other]
            axes.annotate("", (to_x, to_y + 0.27), (x, y - 0.27),
                          arrowprops={"arrowstyle": "-|>", "color": "#8a94a3", "lw": 1.0, "shrinkA": 0, "shrinkB": 0})
    for name, (x, y) in places.items():
        kind = next((kind for kind, names in OF.items() if name in names), "a case")
        axes.text(x, y, name, ha="center", va="center", fontsize=11, weight="bold", color="#1c2733",
                  bbox={"boxstyle": "round,pad=0.45", "facecolor": COLORS[kind], "edgecolor": "#66707d"})
    for index, (kind, color) in enumerate(COLORS.items()):
        axes.text(0.2 + 1.6 * index, max(floors.values()) + 0.62, kind, fontsize=9, color="#1c2733",
                  bbox={"boxstyle": "round,pad=0.3", "facecolor": color, "edgecolor": "none"})
    axes.set(xlim=(0, 10), ylim=(-0.5, max(floors.values()) + 0.9))
    axes.axis("off")
    figure.tight_layout(pad=0.3)
    figure.savefig(path)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
