import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from ladder.networks import runtime


def machine(vendor: str, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: 6\nflags\t\t: {flags}\n\n"
    )
    monkeypatch.setattr(runtime, "CPUINFO", cpuinfo)


@pytest.mark.parametrize(
    ("vendor", "flags", "expected"),
    [
        ("GenuineIntel", "fpu sse2 avx512_bf16 avx2", "float32"),
        ("GenuineIntel", "fpu amx_bf16 amx_tile", "mixed_bfloat16"),
        ("GenuineIntel", "fpu sse2 avx2 avx512f", "float32"),
        ("AuthenticAMD", "fpu sse2 avx512_bf16 avx2", "mixed_bfloat16"),
        ("AuthenticAMD", "fpu sse2 avx2 avx512f", "float32"),
        ("", "", "float32"),
    ],
)
def test_auto_follows_the_processor(
    vendor: str, flags: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(vendor, flags, tmp_path, monkeypatch)
    assert runtime.policy("auto") == expected


@pytest.mark.parametrize(
    ("precision", "expected"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16")]
)
@pytest.mark.parametrize("flags", ["fpu", "fpu amx_bf16"])
def test_a_named_precision_is_taken_at_its_word(
    precision: str, expected: str, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("GenuineIntel", flags, tmp_path, monkeypatch)
    assert runtime.policy(precision) == expected


def test_what_keras_would_import_and_nobody_uses_is_imported_later_or_before() -> None:
    code = (
        "import sys; {before}from ladder.networks import runtime; "
        "print('sklearn' in sys.modules, 'matplotlib' in sys.modules); "
        "import sklearn.base, matplotlib; print(sklearn.base.BaseEstimator.__name__)"
    )
    for before, seen in (("", "False False"), ("import sklearn; ", "True False")):
        command = [sys.executable, "-c", code.format(before=before)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == [seen, "BaseEstimator"]


def test_flags_are_read_as_linux_writes_them_on_x86_and_on_arm(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd bf16\n")
    assert runtime.processor_flags(cpuinfo) == {"Features", ":", "fp", "asimd", "bf16"}
    cpuinfo.write_text(
        "processor\t: 0\nmodel name\t: A\nflags\t\t: fpu amx_bf16\n\nprocessor\t: 1\n"
    )
    assert {"fpu", "amx_bf16"} <= runtime.processor_flags(cpuinfo)
    assert runtime.processor_flags(tmp_path / "missing") == set()


def test_the_processor_is_named_by_what_chooses_its_kernels(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    block = (
        "processor\t: {}\nvendor_id\t: V\ncpu family\t: 25\nmodel\t\t: 1\ncache size\t: 512 KB\n"
    )
    cpuinfo.write_text(block.format(0) + "\n" + block.replace("V", "W").format(1))
    assert runtime.processor(cpuinfo) == "V 25 1 512 KB"
    arm = "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n"
    cpuinfo.write_text(f"processor\t: 0\nBogoMIPS\t: 50.00\n{arm}CPU revision\t: 1\n")
    assert runtime.processor(cpuinfo) == "0x41 8 0x3 0xd0c"
    cpuinfo.write_text("processor\t: 0\nBogoMIPS\t: 50.00\n")
    assert runtime.processor(cpuinfo) == ""
    python = platform.processor() or platform.machine()
    assert runtime.processor(tmp_path / "missing") == python != ""


def test_the_versions_are_those_installed() -> None:
    installed = {package.name for package in importlib.metadata.distributions()}
    (tensorflow,) = installed & {"tensorflow", "tensorflow-cpu", "tensorflow_cpu"}
    assert runtime.versions() == {
        "tensorflow": importlib.metadata.version(tensorflow),
        "keras": importlib.metadata.version("keras"),
    }


def test_a_description_holds_policy_threads_processor_kernels_and_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("GenuineIntel", "fpu sse2 fma avx2 amx_tile", tmp_path, monkeypatch)
    threads = str(runtime.tf.config.threading.get_intra_op_parallelism_threads())
    assert runtime.describe() == {
        "policy": runtime.keras.config.dtype_policy().name,
        "threads": threads,
        "processor": "GenuineIntel 6",
        "kernels": "avx2 fma",
        **runtime.versions(),
    }


@pytest.mark.parametrize("name", ["NVIDIA H100", None])
def test_a_description_names_the_gpus_where_there_are_any(
    name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = {} if name is None else {"device_name": name}
    monkeypatch.setattr(runtime, "_gpus", lambda: ["first", "second"])
    monkeypatch.setattr(runtime.tf.config.experimental, "get_device_details", lambda gpu: details)
    expected = name or "GPU"
    assert runtime.describe()["gpus"] == f"{expected}, {expected}"


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ((8, 0), "mixed_bfloat16"),
        ((9, 0), "mixed_bfloat16"),
        ((7, 5), "float32"),
        (None, "float32"),
    ],
)
def test_auto_follows_the_gpu_before_the_processor(
    capability: tuple[int, int] | None,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(
        "GenuineIntel", "fpu amx_bf16" if expected == "float32" else "fpu", tmp_path, monkeypatch
    )
    details = {} if capability is None else {"compute_capability": capability}
    monkeypatch.setattr(runtime, "_gpus", lambda: ["one"])
    monkeypatch.setattr(runtime.tf.config.experimental, "get_device_details", lambda gpu: details)
    assert runtime.policy("auto") == expected


def test_keras_computes_as_its_defaults_say_whatever_its_file_says(tmp_path: Path) -> None:
    file = tmp_path / "keras.json"
    file.write_text(
        '{"floatx": "float16", "epsilon": 0.1, "backend": "torch", '
        '"image_data_format": "channels_first"}'
    )
    code = (
        "from ladder.networks.runtime import keras\n"
        "c = keras.config\n"
        "print(c.backend(), c.floatx(), c.epsilon(), c.image_data_format())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "tensorflow float32 1e-07 channels_last\n", done.stderr


def test_what_is_dropped_from_stderr_is_printed_after_an_error() -> None:
    code = (
        "import os\n"
        "from ladder.networks import runtime\n"
        "with runtime.quiet_stderr():\n"
        "    os.write(2, b'what works')\n"
        "with runtime.quiet_stderr():\n"
        "    os.write(2, b'what breaks')\n"
        "    raise SystemExit(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "what breaks" in done.stderr
    assert "what works" not in done.stderr
