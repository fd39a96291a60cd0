"""One network and the engine that runs it: when an engine fails, on the way too, the next one goes on."""

import logging

import numpy as np

from ..core.findings import Finding
from ..engines import FAILURES, Engine, choose_engine, fallback_finding
from ..network.weights import Weights

log = logging.getLogger(__name__)


class NetworkRunner:
    """device: "auto", "cpu", "cuda"; engine: "auto", "openvino", "torch"; see engines.choose_engine.

    threads: cores that an engine may use, None: all. engine: the one in use, None before the first scan.
    """

    def __init__(self, weights: Weights, device: str, engine: str, threads: int | None = None):
        self.weights = weights
        self.engine: Engine | None = None
        self._wanted, self._threads = (device, engine), threads
        self._failed: tuple[str, ...] = ()
        self._findings: list[Finding] = []

    def ready(self, rows: int, columns: int) -> Engine:
        """An engine that is ready for slices of this size. Raises PackagesMissing or EngineError when none is."""
        if self.engine is None:
            return self._choose(rows, columns)
        self.engine.findings.clear()
        try:
            self.engine.prepare(rows, columns)
            return self.engine
        except FAILURES as error:
            return self._fall_back(self.engine, error, rows, columns)

    def predict(self, slices: np.ndarray) -> np.ndarray:
        """(n, in_slices, rows, columns) -> p(ICH), p(IVH), (n, 2, rows, columns); from another engine where this one
        fails. Raises EngineError when none is left."""
        while True:
            engine = self.engine or self._choose(*slices.shape[2:])
            try:
                return engine.predict(slices)
            except FAILURES as error:
                self._fall_back(engine, error, *slices.shape[2:])

    def findings(self) -> list[Finding]:
        """What the choice and the running of the engine have to say about the last scan."""
        return [*self._findings, *(self.engine.findings if self.engine else ())]

    def _choose(self, rows: int, columns: int) -> Engine:
        self.engine, findings = choose_engine(*self._wanted, self.weights, rows, columns, skip=self._failed,
                                              threads=self._threads)
        self._findings += findings
        return self.engine

    def _fall_back(self, engine: Engine, error: BaseException, rows: int, columns: int) -> Engine:
        log.warning("%s failed while running", engine.label, exc_info=error)
        self._findings += [*engine.findings, fallback_finding(engine.label, error)]
        self._failed += (engine.label,)
        self.engine = None
        return self._choose(rows, columns)
