"""What the figures were measured on."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.workers import vgg16

CPUINFO, MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")

# What decides the rate of float32 (avx…) and of bfloat16 (the two that end in bf16).
FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile")
GIB = 2**30
PACKAGES = ("dvc", "keras", "mlflow", "numpy", "opencv-python-headless", "pillow", "tensorflow-cpu")


def describe() -> dict[str, Any]:
    """Returns the processor, its cores and flags, the memory and the operating system."""
    flags = _field(CPUINFO, "flags").split()
    return {
        "processor": _field(CPUINFO, "model name") or platform.processor() or platform.machine(),
        "cores": vgg16.cores(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "memory_bytes": 1024 * int((_field(MEMINFO, "MemTotal") or "0").split()[0]),
        "system": f"{platform.system()} {platform.machine()}",
    }


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Returns whether two descriptions are of machines that the same figures hold for.

    Kernels of the same machine leave more memory or less: a difference under a GiB is none.
    """
    alike = all(one[name] == other[name] for name in ("processor", "cores", "flags"))
    return alike and abs(one["memory_bytes"] - other["memory_bytes"]) < GIB


def text(described: dict[str, Any]) -> str:
    """Returns a description on one line."""
    return (
        f"{described['processor']}, {described['cores']} cores, "
        f"{described['memory_bytes'] / GIB:.0f} GiB, {described['system']}, "
        f"flags {' '.join(described['flags']) or 'unknown'}"
    )


def _field(path: Path, name: str) -> str:
    """Returns the first value of a name in a file of lines `name : value`; "" if there is none."""
    lines = path.read_text().splitlines() if path.exists() else []
    named = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in named if key.strip() == name), "")


def has_fast_bfloat16(described: dict[str, Any]) -> bool:
    """Returns whether the pipeline takes bfloat16 by itself: see `ladder.runtime`."""
    flags = described["flags"]
    amd = described["processor"].startswith("AMD ")
    return "amx_bf16" in flags or (amd and "avx512_bf16" in flags)


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that take part."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def now() -> dict[str, Any]:
    """Returns the date, and how many processes wanted a core in the last minute."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"date": datetime.datetime.now(datetime.UTC).isoformat("T", "minutes"), "load": load}
