"""Is there an NVIDIA GPU? Asked of the driver itself, so that a PC without one never pays for importing torch."""

import ctypes
import sys


def gpu_count() -> int:
    """GPUs the NVIDIA driver offers; 0 without a driver (and on macOS)."""
    if sys.platform == "darwin":
        return 0
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        usable = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):
        return 0
    return count.value if usable else 0
