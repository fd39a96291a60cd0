"""Training batches made by other processes, for a GPU, which trains faster than one core makes slices."""

import pickle
import tempfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..synthetic.backgrounds import Background
from .batches import BatchStream


def prefetch(jobs: int, pool: list[Background], plan, seed: int, *more, device: torch.device,
             stream: type[BatchStream] = BatchStream) -> Iterator:
    """What stream(pool, plan, seed, *more) gives, made by `jobs` other processes, images in float16.

    The processes take turns, each with a seed of its own, so that a run can be repeated with as many. False alarms
    cannot be reported back. Each process computes in one thread: on 16 cores, with four threads each, 14 of them made
    slices for a seventh of the training.

    They are started afresh, not forked: a process in which threads run is not safe to fork, and ITK, torch and numpy
    all run some.
    The gigabytes of heads are in memory only once all the same, as a file in the temporary folder that all map.
    """
    with tempfile.TemporaryDirectory(prefix="ichvolume_heads_", ignore_cleanup_errors=True) as folder:
        batches = _PrefetchedBatches(SharedPool(pool, Path(folder) / "heads"), plan, seed, more, stream)
        loader = DataLoader(batches, batch_size=None, num_workers=jobs, prefetch_factor=4,
                            pin_memory=device.type == "cuda", multiprocessing_context="spawn")
        yield from loader


class _PrefetchedBatches(IterableDataset):
    """Batches of a stream of its own in every process."""

    def __init__(self, shared: "SharedPool", plan, seed: int | list[int], more: tuple,
                 stream: type[BatchStream]):
        self.shared, self.plan, self.seed, self.more, self.stream = shared, plan, seed, more, stream

    def __iter__(self):
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)  # numpy's; torch's own are one already
        seeds = [*np.atleast_1d(self.seed).tolist(), get_worker_info().id]
        for images, labels, origins in self.stream(self.shared.pool(), self.plan, seeds, *self.more):
            yield images.half(), labels, origins  # half as much to move; off by 0.05 HU at most


class SharedPool:
    """Heads whose arrays lie in a file; what is pickled to another process is only where they lie."""

    def __init__(self, pool: list[Background], path: Path):
        buffers: list[pickle.PickleBuffer] = []
        self.path, self.heads = path, pickle.dumps(pool, protocol=5, buffer_callback=buffers.append)
        with path.open("wb") as file:
            self.sizes = [file.write(buffer.raw()) for buffer in buffers]

    def pool(self) -> list[Background]:
        """The heads, their arrays read-only and mapped from the file."""
        mapped = np.memmap(self.path, mode="r")
        ends = list(accumulate(self.sizes))
        parts = [mapped[end - size:end] for end, size in zip(ends, self.sizes, strict=True)]
        return pickle.loads(self.heads, buffers=parts)
