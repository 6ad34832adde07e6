"""The only import of TensorFlow; threads, precision and seed, which decide a result's last bits."""

import faulthandler
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ladder import settings

__all__ = [
    "computing_in",
    "describe",
    "keras",
    "policy",
    "processor_flags",
    "quiet_stderr",
    "start",
    "tf",
]

KINDS = {"amx_bf16", "avx512_bf16", "avx512f", "avx2", "fma", "bf16", "asimd", "sve"}  # of kernels
CPUINFO = Path("/proc/cpuinfo")
BFLOAT16_CAPABILITY = (8, 0)  # NVIDIA Ampere


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drops what TensorFlow's C++ prints in the block: no variable silences all of it.

    After an error it is printed all the same; if the process aborts, Python's stack is.
    """
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as dropped:
        faulthandler.enable(stderr)
        os.dup2(dropped.fileno(), 2)
        try:
            yield
        except BaseException:
            dropped.seek(0)
            os.write(stderr, dropped.read())
            raise
        finally:
            os.dup2(stderr, 2)
            faulthandler.enable(2)
            os.close(stderr)


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Makes packages not importable in the block, but for those that are imported already."""
    absent = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # Python's own way
    try:
        yield
    finally:
        for package in absent:
            del sys.modules[package]


# TensorFlow leaves oneDNN off where a processor lacks AVX512-VNNI, though it is faster there too.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
for variable in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "XLA_FLAGS", "TF_XLA_FLAGS"):
    os.environ.pop(variable, None)  # they change results, and no file would tell
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # no lines that say what works
os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever ~/.keras/keras.json says

# Keras imports these where they are installed, for wrappers and drawings that are not used here.
# It takes a quarter of the time that every stage needs to start (Keras 3.15, 2026-11).
with quiet_stderr(), _hidden("sklearn", "matplotlib"):
    import keras
    import tensorflow as tf

tf.get_logger().setLevel("ERROR")  # a function is traced again for every layer, on purpose

# What keras.json may say otherwise, and what decides a result.
keras.config.set_floatx("float32")
keras.config.set_image_data_format("channels_last")
keras.config.set_epsilon(1e-7)


def start(runtime: settings.Runtime, seed: int | None) -> str:
    """Fixes threads, precision and seed before the first operation; returns the Keras policy.

    A seed of None says that nothing is random.

    With one operation at a time and a fixed number of threads, results repeat bit for bit on
    the same kind of processor.
    """
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(runtime.threads or _cores())
    tf.config.experimental.enable_op_determinism()
    with quiet_stderr():
        tf.constant(0)  # the first operation lists what the processor can do
    if seed is not None:
        keras.utils.set_random_seed(seed)
    name = policy(runtime.precision)
    keras.config.set_dtype_policy(name)
    return name


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Builds models of a Keras policy in the block; what the process had set is put back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def describe() -> dict[str, str]:
    """Returns what results depend on in their last bits: policy, threads, processor, versions.

    And the GPUs, where there are any.
    """
    details = [tf.config.experimental.get_device_details(gpu) for gpu in _gpus()]
    gpus = [detail.get("device_name", "GPU") for detail in details]
    return ({"gpus": ", ".join(gpus)} if gpus else {}) | {
        "policy": keras.config.dtype_policy().name,
        "threads": str(tf.config.threading.get_intra_op_parallelism_threads()),
        "processor": processor(CPUINFO),
        "kernels": " ".join(sorted(processor_flags(CPUINFO) & KINDS)),
        **versions(),
    }


def versions() -> dict[str, str]:
    """Returns the versions of TensorFlow and Keras."""
    return {"tensorflow": tf.__version__, "keras": keras.__version__}


def _gpus() -> list[Any]:
    devices: list[Any] = tf.config.list_physical_devices("GPU")
    return devices


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def policy(precision: str) -> str:
    """Returns the Keras policy: bfloat16 arithmetic with float32 weights where it is fast."""
    if precision == "auto":
        precision = "bfloat16" if _has_fast_bfloat16() else "float32"
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"


def _has_fast_bfloat16() -> bool:
    if gpus := _gpus():
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        return all(d.get("compute_capability", (0, 0)) >= BFLOAT16_CAPABILITY for d in details)
    flags = processor_flags(CPUINFO)
    # AVX512-BF16 alone makes it fast on AMD's processors and slow on Intel's: on two cores VGG16
    # ran at 77 pictures/s in bfloat16 and at 40 in float32 on an EPYC (family 26, model 2), at
    # 12.8 and 22.3 on a Xeon without AMX (family 6, model 207; both 2026-11).
    amd = processor(CPUINFO).startswith("AuthenticAMD")
    return "amx_bf16" in flags or (amd and "avx512_bf16" in flags)


def processor(cpuinfo: Path) -> str:
    """Returns what Linux says of the processor, else what Python does.

    Of x86 vendor, family, model and cache; of ARM implementer, architecture, variant and part.
    """
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    pairs = (line.partition(":") for line in cpuinfo.read_text().partition("\n\n")[0].splitlines())
    values = {name.strip(): value.strip() for name, _, value in pairs}
    x86 = ("vendor_id", "cpu family", "model", "cache size")
    arm = ("CPU implementer", "CPU architecture", "CPU variant", "CPU part")
    return " ".join(values[name] for name in (*x86, *arm) if name in values)


def processor_flags(cpuinfo: Path) -> set[str]:
    """Returns the processor's features as Linux names them; none where it does not say."""
    if not cpuinfo.exists():
        return set()
    lines = cpuinfo.read_text().splitlines()
    names = ("flags", "Features")  # on x86, on ARM
    return set(next((line for line in lines if line.startswith(names)), "").split())
