from pathlib import Path

import pytest

from ladder import runtime


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse2 avx512_bf16 avx2", "float32"),
        ("fpu amx_bf16 amx_tile", "mixed_bfloat16"),
        ("fpu sse2 avx2 avx512f", "float32"),
        ("", "float32"),
    ],
)
def test_auto_follows_the_processor(
    flags: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "processor_flags", lambda cpuinfo: set(flags.split()))
    assert runtime.policy("auto") == expected


@pytest.mark.parametrize(
    ("precision", "expected"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16")]
)
def test_a_named_precision_is_taken_at_its_word(
    precision: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "processor_flags", lambda cpuinfo: set())
    assert runtime.policy(precision) == expected


def test_flags_are_read_as_linux_writes_them(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
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
    cpuinfo.write_text("processor\t: 0\nBogoMIPS\t: 50.00\n")  # an ARM
    assert runtime.processor(cpuinfo) == ""
    assert runtime.processor(tmp_path / "missing") == ""
