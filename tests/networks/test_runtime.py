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
