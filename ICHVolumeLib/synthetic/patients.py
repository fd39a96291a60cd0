"""Held-out synthetic patients, made ahead of the network in other processes.

A patient is a part ("calibration", "test" or "trained") and a number: whoever makes it, and in whatever order, gets the
same one. "trained" are new bleeds in the heads that were trained on: figures better there than in "test" mean that
the network has seen too few heads, others that heads are not what it lacks.
"""

import os
import signal
from collections import deque
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

import numpy as np

from ..core.ct_volume import CTVolume, ScanInfo
from ..imaging.itk_threads import use_one_itk_thread
from .background_pool import is_validation, procedural
from .backgrounds import PIXEL_MM, Background

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

    @property
    def id(self) -> str:
        return self.name

    def row(self) -> dict:
        """What a table says of the patient beside its numbers."""
        return {"index": self.index, "made_head": self.made_head}


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
    from .generator import make_block  # needs torch; who only names patients does not

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


def default_jobs() -> int:
    """One maker for every core, four at most: the network keeps up with no more."""
    return min(os.cpu_count() or 1, 4)


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
