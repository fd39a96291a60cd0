"""One network and the engine that runs it; when the engine fails, the next one finishes the case."""

import logging

import numpy as np

from ..findings import Finding
from ..network.weights import Weights
from . import FAILURES, Engine, choose_engine, fallback_finding

log = logging.getLogger(__name__)


class Runner:
    """device, engine: what choose_engine is asked for."""

    def __init__(self, device: str, engine: str, weights: Weights):
        self._wanted = (device, engine)
        self._weights = weights
        self._failed: tuple[str, ...] = ()
        self._chosen_with: list[Finding] = []
        self.engine: Engine | None = None  # None before the first scan

    def prepare(self, rows: int, columns: int) -> None:
        """Get ready for a scan of this size. Raises PackagesMissing or EngineError when nothing can run the network."""
        if self.engine is None:
            self._choose(rows, columns)
            return
        self.engine.findings.clear()
        try:
            self.engine.prepare(rows, columns)
        except FAILURES as error:
            self._fall_back(error, rows, columns)

    def predict(self, slices: np.ndarray) -> np.ndarray:
        """As Engine.predict, after prepare; raises EngineError when no engine is left."""
        while True:
            try:
                return self.engine.predict(slices)
            except FAILURES as error:
                self._fall_back(error, *slices.shape[2:])

    def findings(self) -> list[Finding]:
        """What the choice and the running of the engine have to say about the last scan."""
        return [*self._chosen_with, *self.engine.findings]

    def _choose(self, rows: int, columns: int) -> None:
        self.engine, findings = choose_engine(*self._wanted, self._weights, rows, columns, skip=self._failed)
        self._chosen_with += findings

    def _fall_back(self, error: BaseException, rows: int, columns: int) -> None:
        log.warning("%s failed while running", self.engine.label, exc_info=error)
        self._chosen_with += [*self.engine.findings, fallback_finding(self.engine.label, error)]
        self._failed += (self.engine.label,)
        self.engine = None
        self._choose(rows, columns)
