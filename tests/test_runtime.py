from pathlib import Path

import pytest

from ladder import runtime


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse2 avx512_bf16 avx2", "mixed_bfloat16"),
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
