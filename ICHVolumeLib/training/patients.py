"""Held-out synthetic patients, made ahead of the network in other processes.

A patient is a part ("calibration", "test" or "trained") and a number: whoever makes it, and in whatever order, gets the
same one. "trained" are new bleeds in the heads that were trained on: figures better there than in "test" mean that
the network has seen too few heads, others that heads are not what it lacks.
"""

import hashlib
import os
import signal
from collections import deque
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from .. import sample
from ..volume import CTVolume, ScanInfo
from . import backgrounds, generator, head_scale, heads, mimics, scanner, variation
from .backgrounds import PIXEL_MM, Background
from .generator import make_block
from .heads import is_validation, procedural

CALIBRATION, TEST, TRAINED = "calibration", "test", "trained"
FIRST_SEED = {CALIBRATION: 1_000_000, TEST: 2_000_000, TRAINED: 4_000_000}  # 3_000_000: ablation.py
SIZE = 512


@dataclass(frozen=True, eq=False)
class Patient:
    """A synthetic patient: ct, truth (uint8, 1 ICH, 2 IVH), a name, its number within its part, whose head it is."""

    name: str
    ct: CTVolume
    truth: np.ndarray
    index: int = 0
    made_head: bool = True  # False: a real patient's


@dataclass(frozen=True, eq=False)
class Order:
    """A patient to be made. background None: a head made by code."""

    name: str
    index: int
    seed: int
    background: Background | None


def held_out(pool: list[Background], part: str) -> list[Background]:
    """Real patients never trained on; one half calibrates, the other half tests."""
    real = sorted((one for one in pool if one.kind == "ct_ich" and is_validation(one.patient)), key=lambda b: b.patient)
    return real[::2] if part == CALIBRATION else real[1::2]


def trained_on(pool: list[Background], kind: str) -> list[Background]:
    """The heads of a kind that training sees, by name."""
    return sorted((one for one in pool if one.kind == kind and not is_validation(one.patient)), key=lambda b: b.patient)


def orders(pool: list[Background], part: str, numbers: Iterable[int]) -> list[Order]:
    """Two patients in three in a real head, one in three in a made one: a new one, or one trained on."""
    if part == TRAINED:
        real, known = trained_on(pool, "ct_ich"), trained_on(pool, "procedural")
    else:
        real, known = held_out(pool, part), []
    made = []
    for index in numbers:
        seed = FIRST_SEED[part] + index
        heads = known if index % 3 == 2 else real
        background = heads[index % len(heads)] if heads else None
        head = f"made{seed}" if background is None else background.patient
        made.append(Order(f"{part}{index:03d}-{head}", index, seed, background))
    return made


def make_patient(order: Order, size: int = SIZE, pixel_mm: float = PIXEL_MM) -> Patient:
    """The patient of an order, with 0.1 to 150 mL of blood.

    A bleed under half a voxel leaves no mask; then the next one is drawn.
    """
    background = procedural(order.seed) if order.background is None else order.background
    for attempt in range(20):
        block = make_block(np.random.default_rng([order.seed, attempt]), background, size=size, pixel_mm=pixel_mm,
                           slices=None, bleed=True)
        if (block.labels > 0).any():
            break
    hu = np.clip(np.round(block.hu), -1024, 3071).astype(np.int16)
    return Patient(order.name, as_ct(hu, background.step_mm, pixel_mm), block.labels, order.index,
                   background.kind == "procedural")


def as_ct(hu: np.ndarray, step_mm: float, pixel_mm: float = PIXEL_MM) -> CTVolume:
    """A background's slices as an axial scan (row 0 front, column 0 patient's right, slice 0 lowest)."""
    matrix = np.diag([-pixel_mm, -pixel_mm, step_mm, 1.0])
    return CTVolume.regular(hu, matrix, ScanInfo(source="synthetic patient", slice_thickness_mm=step_mm))


def synthetic_patients(pool: list[Background], part: str, count: int, *, jobs: int = 0,
                       known: Container[str] = ()) -> Iterator[Patient]:
    """Patients 0..count-1 of a part in their order, without those whose name is known.

    jobs: processes that make patients ahead of whoever asks for them; 0 makes each here when it is asked for.
    """
    wanted = (order for order in orders(pool, part, range(count)) if order.name not in known)
    return make_patients(wanted, jobs)


def make_patients(wanted: Iterable[Order], jobs: int = 0) -> Iterator[Patient]:
    """The patients of these orders, in their order."""
    if not jobs:
        for order in wanted:
            with _one_thread():  # sums of several threads differ in the last bit, and a rounded HU with them
                patient = make_patient(order)
            yield patient
        return
    wanted = iter(wanted)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=start_maker)
    try:
        waiting = deque(pool.submit(make_patient, order) for order in islice(wanted, jobs + 2))
        while waiting:
            patient = waiting.popleft().result()
            waiting.extend(pool.submit(make_patient, order) for order in islice(wanted, 1))
            yield patient
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def generator_mark() -> str:
    """Changes whenever the code that makes patients does, so that rows of other patients are not mixed in."""
    sources = [Path(module.__file__) for module in (backgrounds, generator, head_scale, heads, mimics, scanner,
                                                      variation)]
    sources += sorted(Path(sample.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]


def default_jobs() -> int:
    """One maker for every core, four at most: the network keeps up with no more."""
    return min(os.cpu_count() or 1, 4)


def use_one_itk_thread():
    """For the whole process: where other processes use the cores, ITK's threads only wait for each other."""
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def start_maker():
    """For a process beside others: one thread each, and Ctrl-C is left to the parent."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its makers
    torch.set_num_threads(1)
    use_one_itk_thread()


@contextmanager
def _one_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
