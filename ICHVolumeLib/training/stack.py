"""Training data of the second network: blocks of slices with the first network's verdicts, made ahead and used often.

The first network's answers cost far more than a step of the small second one. So makers (processes of their own) put
blocks into a folder, and the stream draws crops from all that are there, turned and mirrored, while more arrive.
"""

import signal
import time
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from ..errors import ICHVolumeError
from ..files import replacing
from ..network.weights import load_weights
from ..stacking import (
    LEAST_BACKGROUND,
    LOGIT_LIMIT,
    OWN,
    SLICE_REACH,
    VERDICT_REACH,
    neighbours,
    stack_input,
    verdict,
)
from .backgrounds import Background
from .generator import make_block
from .heads import is_validation, load_pool
from .plans import Plan
from .stream import background_shares, to_input

BLOCK_SLICES, BLOCK_SIZE = 14, 320
BLOCKS = 900  # that all makers make together, 5.7 MB each; all are held in memory
BLOCKS_TO_START = 40
SUSPECT = 0.1  # a chance of blood worth looking at
SUSPECT_SHARE = 0.75  # of the crops lie around blood or a suspect
ENDS_SHARE = 0.1  # of the crops may lack neighbours in the block, as the ends of a scan do
GAPS, GAP_SHARES = (1, 2), (0.9, 0.1)


@contextmanager
def makers(data: Path, cache: Path, weights_dir: Path, plan: Plan, folder: Path, seed: int, jobs: int):
    """Processes that fill folder with blocks, which is waited for; they end with the context.

    Raises ICHVolumeError when they end before there is enough to start with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    context = get_context("spawn")
    started = [context.Process(target=_make_blocks, daemon=True,
                               args=(data, cache, weights_dir, plan, folder, [seed, number], BLOCKS // jobs))
               for number in range(jobs)]
    for process in started:
        process.start()
    try:
        while len(list(folder.glob("*.npz"))) < BLOCKS_TO_START:
            if not any(process.is_alive() for process in started):
                raise ICHVolumeError(f"{folder}: the processes that make training blocks ended too early; "
                                     "their message is above.")
            time.sleep(1)
        yield
    finally:
        for process in started:
            process.terminate()
            process.join()


def _make_blocks(data, cache, weights_dir, plan, folder, seed, count):
    """A maker. Blocks that are there are not made again; the seed of a block is its number's."""
    from ..engines.openvino_engine import OpenVinoEngine

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its makers
    torch.set_num_threads(1)
    engine = OpenVinoEngine(load_weights(weights_dir), options={"INFERENCE_NUM_THREADS": 1})
    pool = [one for one in load_pool(data, cache) if not is_validation(one.patient)]
    shares = background_shares(pool)
    for number in range(count):
        file = folder / f"{seed[0]}-{seed[1]}-{number:04d}.npz"
        if file.is_file():
            continue
        rng = np.random.default_rng([*seed, number])
        block = make_stack_block(rng, pool[rng.choice(len(pool), p=shares)], engine, plan)
        with replacing(file) as writing:
            np.savez(writing, **block)


def make_stack_block(rng, background: Background, engine, plan: Plan) -> dict:
    """{"slices", "verdicts", "labels", "pixel_mm"}: uint8 (n, rows, columns), (n, 2, rows, columns), (n, rows,
    columns); 0..1 as 0..255."""
    pixel_mm = float(np.exp(rng.uniform(*np.log(plan.pixel_mm))))
    block = make_block(rng, background, size=BLOCK_SIZE, pixel_mm=pixel_mm, slices=BLOCK_SLICES)
    slices = to_input(block.hu, plan.window_hu)
    chances = np.concatenate([engine.predict(one[None, None]) for one in slices])
    return {"slices": _as_bytes(slices), "verdicts": _as_bytes(verdict(chances)), "labels": block.labels,
            "pixel_mm": np.float32(pixel_mm)}


def _as_bytes(values: np.ndarray) -> np.ndarray:
    return np.round(values * 255).astype(np.uint8)


def first_logits(images: torch.Tensor) -> torch.Tensor:
    """(n, 3, rows, columns): what stacking.corrected multiplies with, as logits to add, from the network's input."""
    lesions = torch.sigmoid((2 * images[:, OWN:OWN + 2] - 1) * LOGIT_LIMIT)
    background = (1 - lesions.sum(1, keepdim=True)).clamp_min(LEAST_BACKGROUND)
    return torch.cat([background, lesions], 1).log()


class StackStream:
    """Iterates (images (batch, CHANNELS, size, size) float32, labels (batch, size, size) uint8, origins) from the
    blocks in a folder; looks for new ones now and then."""

    def __init__(self, folder: Path, plan, seed: int):
        self.folder, self.plan, self.rng = Path(folder), plan, np.random.default_rng(seed)
        self.blocks: dict[str, dict] = {}
        self.served = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.served % 100 == 0:
            self._look_for_blocks()
        self.served += 1
        names = self.rng.choice(list(self.blocks), self.plan.batch)
        crops = [random_crop(self.rng, self.blocks[name], self.plan.size) for name in names]
        images, labels = (torch.from_numpy(np.stack(part)) for part in zip(*crops, strict=True))
        return images, labels, [0] * len(crops)

    def _look_for_blocks(self):
        for file in sorted(self.folder.glob("*.npz")):
            if file.name not in self.blocks:
                self.blocks[file.name] = _read_block(file)


def _read_block(file: Path) -> dict:
    with np.load(file, allow_pickle=False) as stored:
        block = {name: stored[name] for name in stored.files}
    suspect = (block["labels"] > 0) | (block["verdicts"].max(axis=1) > 255 * verdict(np.float32(SUSPECT)))
    block["suspects"] = [np.flatnonzero(one) for one in suspect]
    return block


def random_crop(rng, block: dict, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(CHANNELS, size, size) float32 and (size, size) uint8 around a suspect (mostly), or anywhere."""
    count, rows, columns = block["labels"].shape
    gap = int(rng.choice(GAPS, p=GAP_SHARES))
    reach = VERDICT_REACH * gap if rng.random() > ENDS_SHARE else 0
    inner = range(reach, count - reach) or range(count)
    chosen = [k for k in inner if len(block["suspects"][k])] if rng.random() < SUSPECT_SHARE else []
    k = int(rng.choice(chosen or inner))
    center = rng.integers((rows, columns))
    if chosen:
        center = np.array(np.unravel_index(rng.choice(block["suspects"][k]), (rows, columns)))
    first = np.clip(center - size // 2 + rng.integers(-size // 4, size // 4 + 1, 2), 0, (rows - size, columns - size))
    part = (slice(first[0], first[0] + size), slice(first[1], first[1] + size))
    order = -1 if rng.random() < 0.5 else 1  # the head upside down: what is above is below
    mirrored = -1 if rng.random() < 0.5 else 1
    verdicts = [block["verdicts"][n][(slice(None), *part)] / np.float32(255)
                for n in neighbours(k, count, gap, VERDICT_REACH)[::order]]
    slices = [block["slices"][n][part] / np.float32(255) for n in neighbours(k, count, gap, SLICE_REACH)[::order]]
    image, labels = stack_input(verdicts, slices), block["labels"][k][part]
    return np.ascontiguousarray(image[:, :, ::mirrored]), np.ascontiguousarray(labels[:, ::mirrored])


def stack_validation(pool: list[Background], engine, plan) -> list:
    """As train.validation_blocks: (images, labels, pixel_mm) of unseen patients, the middle slices of each block."""
    held = [one for one in pool if is_validation(one.patient)]
    rng, blocks = np.random.default_rng(20221003), []
    for index in range(plan.validation_blocks if held else 0):
        block = make_stack_block(rng, held[index % len(held)], engine, plan)
        count = len(block["labels"])
        inner = range(VERDICT_REACH, count - VERDICT_REACH) or range(count)
        images = [_whole_slice(block, k) for k in inner]
        blocks.append((torch.from_numpy(np.stack(images)), block["labels"][list(inner)], float(block["pixel_mm"])))
    return blocks


def _whole_slice(block: dict, k: int) -> np.ndarray:
    count = len(block["labels"])
    return stack_input(block["verdicts"][neighbours(k, count, 1, VERDICT_REACH)] / np.float32(255),
                       block["slices"][neighbours(k, count, 1, SLICE_REACH)] / np.float32(255))
