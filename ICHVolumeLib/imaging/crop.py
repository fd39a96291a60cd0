"""A part of an image that is looked at, and how much of it is believed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Crop:
    """seen: rows and columns that a network is given; believed: those whose answer counts."""

    seen: tuple[slice, slice]
    believed: tuple[slice, slice]

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = (part.stop - part.start for part in self.seen)
        return rows, columns

    @property
    def pixels(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def believed_of_seen(self) -> tuple[slice, slice]:
        """The believed part, in the coordinates of what was seen."""
        rows, columns = (slice(good.start - part.start, good.stop - part.start)
                         for good, part in zip(self.believed, self.seen, strict=True))
        return rows, columns


def whole(shape: tuple[int, int]) -> Crop:
    """All of an image of so many rows and columns."""
    everything = (slice(0, shape[0]), slice(0, shape[1]))
    return Crop(everything, everything)
