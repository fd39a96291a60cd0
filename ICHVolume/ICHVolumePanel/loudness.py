"""Which button stands out: one at a time, the next step."""

LOUD = ("QPushButton { background-color: #1f5fbf; color: white; border: none; border-radius: 5px; min-height: %dpx; "
        "font-size: 12pt; font-weight: bold; } QPushButton:hover { background-color: #2a70d8; } "
        "QPushButton:pressed { background-color: #184a96; } "
        "QPushButton:disabled { background-color: #8a94a3; color: #e6e9ee; }")
HEIGHT, LOWER_HEIGHT = 40, 24  # px; alone at the top, and in a row of the review


def make_loud(button, is_loud: bool, height=LOWER_HEIGHT) -> None:
    style = LOUD % height if is_loud else ""
    if button.styleSheet != style:
        button.styleSheet = style
