"""Where a few words can stand on a picture without covering what matters."""

import numpy as np

STEP_MM = 2.0


def place_labels(busy: np.ndarray, pixel_mm: tuple[float, float], text_mm: tuple[float, float],
                 anchors: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    """The middle (x, y) in mm of each label, as near to one of its anchors as the free room allows.

    busy: (rows, columns) of the picture, True where no text should stand; pixel_mm: width and height of a pixel;
    text_mm: width and height of a label; anchors: for each label the points in mm that it may stand at.
    """
    step = max(1, round(STEP_MM / min(pixel_mm)))
    width, height = (max(1, round(size / pixel)) for size, pixel in zip(text_mm, pixel_mm, strict=True))
    busy = busy.astype(np.int32)
    rows, columns = (np.arange(0, max(1, size - extent), step)
                     for size, extent in zip(busy.shape, (height, width), strict=True))
    x, y = (columns + width / 2) * pixel_mm[0], (rows + height / 2) * pixel_mm[1]
    places = []
    for points in anchors:
        sums = np.pad(busy.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        bottom, right = (np.minimum(first + extent, size) for first, extent, size in
                         zip((rows, columns), (height, width), busy.shape, strict=True))
        covered = (sums[np.ix_(bottom, right)] - sums[np.ix_(rows, right)] - sums[np.ix_(bottom, columns)]
                   + sums[np.ix_(rows, columns)])
        distance_mm = np.min([np.hypot(np.maximum(np.abs(x[None, :] - point[0]) - text_mm[0] / 2, 0),
                                       np.maximum(np.abs(y[:, None] - point[1]) - text_mm[1] / 2, 0))
                              for point in points], axis=0)
        row, column = np.unravel_index(np.argmin(distance_mm + 1000 * covered / (width * height)), distance_mm.shape)
        busy[rows[row]:rows[row] + height, columns[column]:columns[column] + width] = 1
        places.append((float(x[column]), float(y[row])))
    return places
