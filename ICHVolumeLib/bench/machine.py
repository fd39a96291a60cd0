"""The computer in words: processor, instruction sets, load, versions, and a process's peak memory."""

import os
import platform
import sys
from pathlib import Path

from .. import __version__
from ..engines.nvidia import gpu_count
from ..workflow.make_result import installed_versions

INSTRUCTION_SETS = ("avx", "avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
                    "amx_tile", "amx_bf16", "amx_int8", "asimd", "asimddp", "bf16", "sve")
PACKAGES = ("numpy", "SimpleITK", "pydicom", "openvino", "torch", "monai")
VOID_LOAD = 3.0  # with more than this the processor was not ours


def describe_machine(threads: int) -> dict:
    """processor, cores, threads used, instruction sets, what OpenVINO offers, system, versions, GPU."""
    name, offered = _openvino_view()
    return {"processor": name or _name_from_system(), "cores": os.cpu_count(), "threads": threads,
            "instruction_sets": _instruction_sets(), "openvino_offers": offered,
            "system": f"{platform.system()} {platform.release()} {platform.machine()}", "gpu": _gpu(),
            "versions": {"ICHVolume": __version__, **installed_versions(PACKAGES)}}


def load() -> float | None:
    """Processes that ran or wanted to run over the last minute, on average; None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def peak_memory_mb() -> float | None:
    """The most memory that this process has held so far (resident), MB; None where the system does not say."""
    if sys.platform == "win32":
        return _peak_on_windows()
    try:
        return _peak_in(Path("/proc/self/status"))
    except (OSError, ValueError):  # not Linux
        pass
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)  # bytes on macOS, kilobytes elsewhere


def _peak_in(status: Path) -> float:
    """Linux's own record; getrusage there counts what the parent held when it started this process."""
    for line in status.read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"{status} has no VmHWM")


def _peak_on_windows() -> float | None:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):  # PROCESS_MEMORY_COUNTERS
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t) for name in ("peak_working_set", "working_set", "peak_paged", "paged",
                                                 "peak_non_paged", "non_paged", "pagefile", "peak_pagefile")]

    counters = Counters(cb=ctypes.sizeof(Counters))
    this_process = ctypes.windll.kernel32.GetCurrentProcess
    this_process.restype = wintypes.HANDLE
    ask = ctypes.windll.psapi.GetProcessMemoryInfo
    ask.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    return counters.peak_working_set / 1e6 if ask(this_process(), ctypes.byref(counters), counters.cb) else None


def _openvino_view() -> tuple[str, list[str]]:
    """(processor's name, its abilities) as OpenVINO sees them."""
    try:
        from ..engines.quiet_openvino import ov

        core = ov.Core()
        return core.get_property("CPU", "FULL_DEVICE_NAME"), sorted(core.get_property("CPU",
                                                                                      "OPTIMIZATION_CAPABILITIES"))
    except (ImportError, RuntimeError):
        return "", []


def _name_from_system() -> str:
    return platform.processor() or platform.machine() or "unknown processor"


def _instruction_sets() -> list[str]:
    """Those of INSTRUCTION_SETS that Linux lists; elsewhere the system has no such list, see openvino_offers."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    listed = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return [name for name in INSTRUCTION_SETS if name in listed.split()]


def _gpu() -> str | None:
    if not gpu_count():
        return None
    try:
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else "NVIDIA GPU that torch cannot use"
    except ImportError:
        return "NVIDIA GPU, torch is not installed"
