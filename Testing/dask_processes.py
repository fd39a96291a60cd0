"""A Dask scheduler and workers as processes of their own, as an administrator starts them; they can be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class DaskProcesses:
    """Use as a context manager: what was started is ended. prefix: words before each command (`ip netns exec NAME`)."""

    def __init__(self, host: str = "127.0.0.1", log: Path | None = None):
        self.host, self.port, self._log = host, free_port(), log
        self._running: list[subprocess.Popen] = []

    @property
    def address(self) -> str:
        return f"tcp://{self.host}:{self.port}"

    def scheduler(self, prefix=()) -> subprocess.Popen:
        """Returns once it answers, where it can be asked (not in another network)."""
        started = self._start([*prefix, sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", self.host,
                               "--port", str(self.port), "--dashboard-address", f"{self.host}:0"])
        until = time.monotonic() + 60
        while not prefix and time.monotonic() < until:
            try:
                socket.create_connection((self.host, self.port), 1).close()
                break
            except OSError:
                time.sleep(0.2)
        return started

    def worker(self, prefix=(), host: str = "", *more: str) -> subprocess.Popen:
        host = host or self.host
        return self._start([*prefix, sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--nworkers",
                            "1", "--nthreads", "1", "--host", host, "--dashboard-address", f"{host}:0", *more])

    def kill(self, process: subprocess.Popen) -> None:
        """As when a computer is switched off: it and what it started are gone at once."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._running.remove(process)

    def _start(self, command) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'Testing'}", "OMP_NUM_THREADS": "1"}
        output = open(self._log, "ab") if self._log else subprocess.DEVNULL
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
        self._running.append(process)
        return process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in list(self._running):
            process.terminate()
        until = time.monotonic() + 20
        for process in list(self._running):
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.kill(process)


def children_of(process: subprocess.Popen) -> list[int]:
    """Process ids of what a nanny has started (Linux)."""
    found = []
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        found += [int(pid) for pid in (task / "children").read_text().split()]
    return found
