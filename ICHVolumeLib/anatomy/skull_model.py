"""The inner surface of an average adult skull as one smooth star-shaped surface in MNI-like mm.

radius(direction) from CENTER_MM is a sum of real spherical harmonics, symmetric in left and right. The numbers are
ours: `python -m ICHVolumeLib.experiments.fit_skull_model` makes them from the CT template of Rorden et al. 2012
(10.1016/j.neuroimage.2012.03.020), which is in MNI space and is not shipped, and says how well they fit it.
"""

import numpy as np

CENTER_MM = np.array([0.0, -18.0, 10.0])  # about the middle of the cavity
DEGREE = 8
VAULT_FLOOR_MM, FOSSA_FRONT_MM, FOSSA_FLOOR_MM = -18.0, -45.0, -62.0  # see is_trusted
HARMONICS = np.array([  # order as in harmonics()
    78.3449, -2.6538, -6.7721, 7.6222, -6.6813, 5.5413, -3.4290, 2.2950, -0.3745,
    -1.8773, 1.0107, -2.4887, 0.7984, -0.1921, 0.0837, 0.0780, -0.0926,
    8.4731, -0.6562, -0.4891, 0.1588, 0.1531, -0.0808, -0.0084,
    2.3678, 0.0911, 0.0735, 0.0648, -0.0195, -0.0066,
    0.1140, 0.0117, -0.1688, 0.0842, -0.0536,
    -0.5356, 0.1790, 0.1031, -0.0475,
    -0.8753, 0.3608, -0.0647,
    0.2477, 0.1454,
    -0.6750,
])


def harmonics(directions: np.ndarray, degree: int = DEGREE) -> np.ndarray:
    """(n, (degree + 1)(degree + 2) / 2) real spherical harmonics that are even in x, not normalised.

    directions: (n, 3) unit vectors. Order: m = 0, 1, ..., for each the degrees m, m + 1, ... The azimuth is counted
    from the front, so that cos(m azimuth) is even in x; Legendre's polynomials by their recursion.
    """
    x, y, z = directions.T
    around = y + 1j * x
    power, columns = np.ones(len(directions), complex), []
    for m in range(degree + 1):
        before, now = np.zeros_like(z), power.real
        for order in range(m, degree + 1):
            columns.append(now)
            before, now = now, ((2 * order + 1) * z * now - (order + m) * before) / (order - m + 1)
        power = power * around
    return np.stack(columns, axis=1)


def radius_mm(directions: np.ndarray) -> np.ndarray:
    """(n,) mm from CENTER_MM to the inner table along (n, 3) unit vectors."""
    return harmonics(directions) @ np.asarray(HARMONICS)


def surface_mm(directions: np.ndarray) -> np.ndarray:
    """(n, 3) points of the surface, MNI-like mm."""
    return CENTER_MM + radius_mm(directions)[:, None] * directions


def outside_mm(points_mm: np.ndarray) -> np.ndarray:
    """(n,) mm from the surface along the line to CENTER_MM; negative inside. points_mm: (n, 3), MNI-like mm."""
    away = points_mm - CENTER_MM
    distance = np.linalg.norm(away, axis=1)
    return distance - radius_mm(away / np.maximum(distance, 1e-6)[:, None])


def even_directions(count: int) -> np.ndarray:
    """(count, 3) unit vectors spread evenly over the sphere (a Fibonacci spiral), from above downwards."""
    place = np.arange(count)
    z = 1 - (2 * place + 1) / count
    azimuth = place * np.pi * (3 - np.sqrt(5))
    across = np.sqrt(1 - z**2)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), z], axis=1)


def is_trusted(surface_points_mm: np.ndarray) -> np.ndarray:
    """(n,) bool: vault, side walls and the back wall of the posterior fossa, where the model follows the bone. The base
    (orbits, petrous bones, foramen magnum) is closed by something smooth and says nothing."""
    _, y, z = surface_points_mm.T
    return (z >= VAULT_FLOOR_MM) | ((y <= FOSSA_FRONT_MM) & (z >= FOSSA_FLOOR_MM))
