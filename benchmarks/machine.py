"""The machine and the software that the figures were measured on."""

import datetime
import importlib.metadata
import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.workers import repetitions

CPUINFO, MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")
# These flags decide the rate of float32 (avx…) and of bfloat16 (…bf16).
FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile")
GIB = 2**30
PACKAGES = ("dvc", "keras", "mlflow", "numpy", "opencv-python-headless", "pillow", "tensorflow-cpu")


def describe() -> dict[str, Any]:
    """Returns the processor, its cores and flags, the memory and the operating system."""
    flags = _field(CPUINFO, "flags").split()
    return {
        "processor": _field(CPUINFO, "model name") or platform.processor() or platform.machine(),
        "cores": repetitions.cores(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "memory_bytes": 1024 * int((_field(MEMINFO, "MemTotal") or "0").split()[0]),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _field(path: Path, name: str) -> str:
    """Returns the first value of a name in a file of lines `name : value`, "" without one."""
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Returns whether the same figures hold for two machines."""
    alike = all(one[name] == other[name] for name in ("processor", "cores", "flags"))
    memory = abs(one["memory_bytes"] - other["memory_bytes"])  # kernels leave more or less of it
    return alike and memory < GIB


def text(machine: dict[str, Any]) -> str:
    """Returns a description on one line."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / GIB:.0f} GiB, {machine['system']}, "
        f"flags {' '.join(machine['flags']) or 'unknown'}"
    )


def has_fast_bfloat16(machine: dict[str, Any]) -> bool:
    """Returns whether the pipeline uses bfloat16 by itself, as `ladder.runtime` decides."""
    amd = machine["processor"].startswith("AMD ")
    return "amx_bf16" in machine["flags"] or (amd and "avx512_bf16" in machine["flags"])


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that take part."""
    packages = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            packages[name] = importlib.metadata.version(name)
    return packages


def now() -> dict[str, Any]:
    """Returns the date, and how many processes wanted a core in the last minute."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"date": datetime.datetime.now(datetime.UTC).isoformat("T", "minutes"), "load": load}
