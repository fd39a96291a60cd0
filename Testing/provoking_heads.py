"""Made heads in which the wall of a horn is easily taken for the septum, each with its true midline shift."""

from shifted_patients import ShiftedPatient, shifted_patient

# kind -> what differs, for a bleed on the right that pushes to the left by `push_mm`
KINDS = {
    "one horn closed": {"ventricles": (0.45, 1.5)},
    "one horn closed, third too": {"ventricles": (0.45, 1.5), "third_closed": True},
    "one horn filled, marked": {"filled": ("right",)},
    "one horn filled, not marked": {"filled": ("right",), "marked": False},
    "both horns filled, not marked": {"filled": ("right", "left"), "marked": False},
    "other horn closed": {"ventricles": (1.5, 0.45)},
    "unequal horns": {"ventricles": (1.7, 0.8)},
    "hole beside the other horn": {"holes": ("left",), "ventricles": 1.3},
    "hole beside the other horn, one filled": {"holes": ("left",), "ventricles": 1.3, "filled": ("right",),
                                               "marked": False},
    "holes on both sides, third closed": {"holes": ("left", "right"), "third_closed": True},
    "wide horns": {"ventricles": 1.8},
    "narrow horns": {"ventricles": 0.7},
}
PUSHES_MM = (0.0, 3.0, 6.0, 10.0)


def provoking_head(number: int, size: int = 192) -> tuple[str, float, ShiftedPatient]:
    """(kind, push to the left mm, head with a straight falx): every kind with every push, then all mirrored, again and
    again with other heads."""
    names = list(KINDS)
    kind = names[number % len(names)]
    repeat, push_number = divmod(number // len(names), len(PUSHES_MM))
    settings, push_mm = dict(KINDS[kind]), PUSHES_MM[push_number]
    if repeat % 2:
        push_mm, settings = -push_mm, {name: _mirrored(value) for name, value in settings.items()}
    head = shifted_patient(500 + number, push_mm, size=size, straight=True, uneven=number % 5 == 0, **settings)
    return kind, push_mm, head


def _mirrored(value):
    if isinstance(value, tuple) and isinstance(value[0], float):
        return value[::-1]
    if isinstance(value, tuple):
        return tuple({"left": "right", "right": "left"}[name] for name in value)
    return value
