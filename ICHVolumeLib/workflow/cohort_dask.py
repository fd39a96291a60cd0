"""A cohort's cases on Dask: processes of this computer, or the workers of a scheduler on many.

No more cases are handed out than there are workers, so that a lost worker costs the case it was at and nothing else.
A worker process takes one case at a time, with as many cores as it has threads. Workers with the Dask resource GPU
use the card, one case at a time; all others the processor.
"""

import logging
import os
import queue
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, get_worker

from ..core.errors import ICHVolumeError, InputError
from ..engines.nvidia import gpu_count
from .cohort import Outcomes
from .cohort_case import CaseOutcome, CohortJob, run_case
from .cohort_inputs import CohortCase

GPU = "GPU"
VISIBLE = "CUDA_VISIBLE_DEVICES"
HERE = "127.0.0.1"  # nothing of a local cluster is to be reached from outside
CONNECT_S = 20.0
PATIENCE_S = 120.0  # without a scheduler or without any worker
BYTES_A_WORKER = 3 << 30  # a scan of 300 slices needs a good gigabyte
TICK_S = 1.0
_CONFIG = {
    "distributed.scheduler.allowed-failures": 2,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,  # it would wait for memory that its own case has
    "distributed.worker.memory.terminate": 0.95,
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.worker.profile.enabled": False,  # a look at every stack a hundred times a second
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.comm.timeouts.connect": f"{CONNECT_S:g}s",
}


@dataclass(frozen=True)
class LocalWorkers:
    """How many processes of this computer, with how many threads each; gpu: each has a card."""

    count: int
    threads: int
    gpu: bool = False


def local_workers(wanted: int | None, device: str) -> LocalWorkers:
    """wanted: --workers. On a processor as many as cores, as far as memory reaches; on cards one each."""
    cards = gpu_count() if device != "cpu" else 0
    if cards:
        return LocalWorkers(min(wanted or cards, cards), 1, gpu=True)
    cores = _cores()
    count = wanted or max(1, min(cores, _memory_bytes() // BYTES_A_WORKER))
    return LocalWorkers(count, max(1, cores // count))


class OnThisComputer:
    """A Runner (see cohort): worker processes of our own, which end with it."""

    def __init__(self, workers: LocalWorkers):
        self.workers = workers

    def __call__(self, cases: list[CohortCase], job: CohortJob) -> Outcomes:
        workers = self.workers
        with _quiet_dask(), LocalCluster(
                n_workers=workers.count, threads_per_worker=1, processes=True, dashboard_address=f"{HERE}:0",
                host=HERE, silence_logs=logging.CRITICAL,
                resources={GPU: 1} if workers.gpu else None) as cluster, Client(cluster) as client:
            client.run(_leave_ctrl_c_to_the_parent)
            yield from _Hand(lambda: client, replace(job, threads=workers.threads)).out(cases)


class OnScheduler:
    """A Runner on the workers of a Dask scheduler, "tcp://host:8786". say(sentence): what it waits for."""

    def __init__(self, address: str, say: Callable[[str], None] = lambda sentence: None,
                 patience_s: float = PATIENCE_S):
        self.address, self._say, self._patience_s = address, say, patience_s

    def __call__(self, cases: list[CohortCase], job: CohortJob) -> Outcomes:
        clients: list[Client] = []

        def connect() -> Client:
            if clients:
                self._say(f"The scheduler {self.address} is gone; waiting for it to come back.")
                with suppress(Exception):
                    clients[-1].close(timeout=1)
            clients.append(self._connect(self._patience_s if clients else 0.0))
            return clients[-1]

        with _quiet_dask():
            try:
                yield from _Hand(connect, job, self._patience_s, self._say).out(cases)
            finally:
                for client in clients[-1:]:
                    with suppress(Exception):
                        client.close(timeout=5)

    def _connect(self, patience_s: float) -> Client:
        """Raises InputError when the scheduler does not answer in time."""
        until = time.monotonic() + patience_s
        while True:
            try:
                return Client(self.address, timeout=min(CONNECT_S, max(patience_s, 5.0)), set_as_default=False)
            except (OSError, ValueError, TimeoutError) as error:
                if time.monotonic() >= until:
                    raise InputError(f"The scheduler {self.address} does not answer; start it with `dask scheduler`, "
                                     "and check its address (tcp://HOST:8786) and the firewall.") from error
                time.sleep(1)


class _Hand:
    """Hands cases out to the workers of a client and takes the outcomes back."""

    def __init__(self, connect: Callable[[], Client], job: CohortJob, patience_s: float = PATIENCE_S,
                 say: Callable[[str], None] = lambda sentence: None):
        self._connect, self._job, self._patience_s, self._say = connect, job, patience_s, say
        self._ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._at_work: dict[Future, tuple[CohortCase, bool]] = {}  # with whether it asked for a card
        self._alone_since: float | None = None

    def out(self, cases: list[CohortCase]) -> Outcomes:
        client, waiting = self._connect(), list(reversed(cases))
        while waiting or self._at_work:
            if client.status != "running":
                waiting += [case for case, _ in self._at_work.values()]
                self._at_work.clear()
                client = self._connect()
            self._hand_out(client, waiting)
            for future in self._ended_by_now():
                case, _ = self._at_work.pop(future, (None, False))
                if case is None:
                    continue
                outcome = _outcome_of(future, case)
                if outcome is None:
                    waiting.append(case)
                else:
                    yield outcome

    def _hand_out(self, client: Client, waiting: list[CohortCase]) -> None:
        if client.scheduler is None:
            return
        try:
            # asked directly: Client.scheduler_info may give what another thread has asked for, without the workers
            workers = client.sync(client.scheduler.identity, n_workers=-1)["workers"].values()
        except (OSError, RuntimeError, TimeoutError):  # it is just going
            return
        cards = sum(GPU in worker.get("resources", {}) for worker in workers)
        plain = 0 if self._job.device == "cuda" else len(workers) - cards
        if self._job.device == "cpu":
            cards, plain = 0, len(workers)
        self._refuse_nobody(cards + plain, len(workers))
        for wants_card, room in ((True, cards), (False, plain)):
            room -= sum(asked == wants_card for _, asked in self._at_work.values())
            for _ in range(min(room, len(waiting))):
                case = waiting.pop()
                future = client.submit(_run_here, case, self._job, pure=False, retries=0,
                                       resources={GPU: 1} if wants_card else None,
                                       key=f"ichvolume-{case.folder}-{time.monotonic_ns()}")
                self._at_work[future] = case, wants_card
                future.add_done_callback(self._ended.put)

    def _refuse_nobody(self, usable: int, there: int) -> None:
        """Raises ICHVolumeError when nobody has been there to take a case for too long."""
        if usable:
            self._alone_since = None
            return
        if self._alone_since is None:
            self._alone_since = time.monotonic()
            self._say(f"No worker is there; waiting {self._patience_s:.0f} s for one.")
        if time.monotonic() - self._alone_since > self._patience_s:
            what = "none of its workers offers a card (start one with --resources GPU=1)" if there else \
                "it has no workers (start some with `dask worker ADDRESS`)"
            raise ICHVolumeError(f"The scheduler answers, but {what}.")

    def _ended_by_now(self) -> list[Future]:
        ended = []
        with suppress(queue.Empty):
            ended.append(self._ended.get(timeout=TICK_S))
            while True:
                ended.append(self._ended.get_nowait())
        return ended


def _outcome_of(future: Future, case: CohortCase) -> CaseOutcome | None:
    """None: it was lost with the scheduler and is to be done again."""
    if future.status == "finished":
        try:
            return future.result(timeout=CONNECT_S)
        except (OSError, TimeoutError):
            return None
    if future.status != "error":
        return None
    error = future.exception()
    if isinstance(error, KilledWorker):
        return CaseOutcome(case, problem=f"{case.source}: the process that measured it was ended from outside each "
                                         "time it was tried, most likely for lack of memory; use fewer workers, or a "
                                         "computer with more.")
    return CaseOutcome(case, problem=f"A worker could not begin ({type(error).__name__}: {error}); install the same "
                                     "version of ICHVolume and of dask everywhere.", stop=True)


def _run_here(case: CohortCase, job: CohortJob) -> CaseOutcome:
    """In the worker: with its own cores, and without a card that it was not given."""
    worker = get_worker()
    has_card = GPU in worker.state.total_resources
    if has_card and isinstance(worker.name, int):  # of a local cluster, which counts its workers
        _take_own_card(worker.name)
    runs_on = "cpu" if job.device == "auto" and not has_card else job.device
    threads = job.threads or worker.state.nthreads
    return run_case(case, replace(job, threads=threads, runs_on=runs_on))


def _take_own_card(number: int) -> None:
    """Before CUDA begins in this process: worker 0 the first card that may be seen, worker 1 the second, ..."""
    seen = [one for one in os.environ.get(VISIBLE, "").split(",") if one]
    os.environ[VISIBLE] = seen[number % len(seen)] if seen else str(number)


def _leave_ctrl_c_to_the_parent() -> None:
    with suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _quiet_dask():
    """What Dask logs is told here in sentences."""
    names = ("distributed", "distributed.nanny", "distributed.worker", "distributed.scheduler", "distributed.core",
             "distributed.client", "tornado.application", "asyncio")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with dask.config.set(_CONFIG):
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> int:
    from distributed.system import MEMORY_LIMIT

    return int(MEMORY_LIMIT)
