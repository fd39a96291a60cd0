"""How far scans and heads may differ from the ordinary: held-out patients are mild, training sees more.

Heads lie turned in the scanner, and low doses are noisy. How bright the brain is (24 to 45 HU) is varied little: the
network is shown every head at one level (imaging/brain_level.py), so what is left is how wrongly that is measured.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variation:
    """gain: of all HU, +-; shift_hu: added to all HU, +-; noise_hu: largest SD; turn_sd_rad: of the head in the slice.

    sites: how often the largest clot lies deep, anywhere, in the cortex, against the skull.
    """

    gain: float
    shift_hu: float
    noise_hu: float
    turn_sd_rad: float
    sites: tuple[float, ...]


MILD = Variation(gain=0.04, shift_hu=3.0, noise_hu=7.0, turn_sd_rad=0.14, sites=(0.45, 0.3, 0.25))
WIDE = Variation(gain=0.07, shift_hu=4.0, noise_hu=12.0, turn_sd_rad=0.3, sites=(0.36, 0.24, 0.2, 0.2))
