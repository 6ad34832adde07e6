import errno
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ladder import artifacts, errors


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_whole_makes_the_folder_and_leaves_only_the_file(tmp_path: Path) -> None:
    with artifacts.whole(tmp_path / "a/b/c.txt") as temporary:
        temporary.write_text("new")
    assert names(tmp_path / "a/b") == ["c.txt"]
    assert (tmp_path / "a/b/c.txt").read_text() == "new"


def test_whole_shows_nothing_at_the_path_before_the_end(tmp_path: Path) -> None:
    with artifacts.whole(tmp_path / "c.txt") as temporary:
        temporary.write_text("half")
        assert not (tmp_path / "c.txt").exists()


def test_an_error_keeps_the_old_file_and_removes_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), artifacts.whole(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert names(tmp_path) == ["c.txt"]
    assert path.read_text() == "old"


def test_an_error_before_the_first_byte_is_the_one_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), artifacts.whole(tmp_path / "c.txt"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_a_folder_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with artifacts.whole(tmp_path / "raw") as temporary:
            (temporary / "inside").mkdir(parents=True)
            (temporary / "inside" / name).touch()
    assert names(tmp_path) == ["raw"]
    assert names(tmp_path / "raw/inside") == ["new"]


def test_an_error_keeps_the_old_folder_and_removes_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(KeyboardInterrupt), artifacts.whole(path) as temporary:
        temporary.mkdir()
        (temporary / "half").touch()
        raise KeyboardInterrupt
    assert (names(tmp_path), names(path)) == (["raw"], ["old"])


def test_a_folder_that_this_process_number_left_is_not_mixed_with_the_new(tmp_path: Path) -> None:
    left = tmp_path / f".{os.getpid()}.raw"
    left.mkdir()
    (left / "half").touch()
    with artifacts.whole(tmp_path / "raw") as temporary:
        temporary.mkdir()
    assert (names(tmp_path), names(tmp_path / "raw")) == (["raw"], [])


def test_the_temporary_file_keeps_folder_and_ending(tmp_path: Path) -> None:
    with artifacts.whole(tmp_path / "m.weights.h5") as temporary:
        temporary.touch()
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(".weights.h5")


def test_what_a_killed_process_left_is_removed_and_what_others_write_stays(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass  # its number is nobody's now
    living, other = f".{os.getppid()}.c[1].txt", f".{process.pid}.d.txt"
    for name in (f".{process.pid}.c[1].txt", living, other, ".hidden.c[1].txt"):
        (tmp_path / name).touch()
    artifacts.write_text(tmp_path / "c[1].txt", "new")
    assert names(tmp_path) == sorted([living, other, ".hidden.c[1].txt", "c[1].txt"])


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("same_file_system", [True, False])
def test_a_file_or_folder_is_moved_also_to_another_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, same_file_system: bool
) -> None:
    source, target = tmp_path / "here/a", tmp_path / "there/b"
    content = source if kind == "file" else source / "c"
    content.parent.mkdir(parents=True)
    content.write_text("content")
    replace = os.replace

    def refuse(old: Path, new: Path) -> None:
        if Path(old).parent != Path(new).parent:  # as between two file systems
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(old, new)

    if not same_file_system:
        monkeypatch.setattr(os, "replace", refuse)
    artifacts.move(source, target)
    assert (target if kind == "file" else target / "c").read_text() == "content"
    assert (names(source.parent), names(target.parent)) == ([], ["b"])


def test_a_copy_that_fails_leaves_source_and_target_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what an earlier process of this number left is not mixed with the copy."""
    source, target = tmp_path / "here/a", tmp_path / "there/b"
    source.mkdir(parents=True)
    (source / "view-01.npy").write_text("whole")
    half = target.parent / f".{os.getpid()}.b"
    half.mkdir(parents=True)
    (half / "view-02.npy").write_text("cut")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def other_file_system(old: Path, new: Path) -> None:
        if Path(old).parent != Path(new).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        Path(old).rename(new)

    monkeypatch.setattr(os, "replace", other_file_system)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.copy2", full)
        patch.setattr("shutil.copytree", full)
        with pytest.raises(OSError, match="No space left"):
            artifacts.move(source, target)
    assert (names(source), names(target.parent)) == (["view-01.npy"], [])
    artifacts.move(source, target)
    assert names(target) == ["view-01.npy"]


def test_a_move_that_fails_otherwise_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        artifacts.move(tmp_path / "nothing", tmp_path / "there/b")
    assert names(tmp_path / "there") == []


def test_room_is_reserved_before_a_file_is_written_through_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.touch()
    artifacts.reserve(path, 100_000)
    assert path.stat().st_size == 100_000
    assert 512 * path.stat().st_blocks >= 100_000  # not a hole


@pytest.mark.parametrize("system", ["Linux", "another"])
def test_a_disk_without_room_is_an_error_and_no_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    if system == "another":
        monkeypatch.delattr(os, "posix_fallocate")
    path = tmp_path / "a.npy"
    path.touch()
    with pytest.raises(OSError, match=r"No space left|File too large"):
        artifacts.reserve(path, 2**60)


def test_sha256_is_the_standards_example(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert artifacts.sha256(path) == expected


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    artifacts.write_text(tmp_path / "t", "96 × 96 –\n")
    assert (tmp_path / "t").read_bytes() == b"96 \xc3\x97 96 \xe2\x80\x93\n"


def test_json_is_sorted_and_indented(tmp_path: Path) -> None:
    artifacts.write_json(tmp_path / "j", {"b": 0.1, "a": None})
    assert (tmp_path / "j").read_bytes() == b'{\n  "a": null,\n  "b": 0.1\n}\n'


def test_json_reads_back_equal(tmp_path: Path) -> None:
    content = {"names": ["Katze", "Löwe"], "low": 0.1 + 0.2, "n": 3}
    artifacts.write_json(tmp_path / "j", content)
    assert artifacts.read_json(tmp_path / "j") == content


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_refuses_what_is_no_number(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        artifacts.write_json(tmp_path / "j", {"loss": number})
    assert names(tmp_path) == []


def test_csv_is_written_without_index_and_with_unix_lines(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "p": [0.1, None]}, index=[7, 8])
    artifacts.write_csv(tmp_path / "c", frame)
    assert (tmp_path / "c").read_bytes() == b"id,p\na,0.1\nb,\n"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_in_csv_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, number: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "float.csv"
    artifacts.write_csv(path, pd.DataFrame({"x": [number]}))
    assert float(path.read_text().splitlines()[1]) == number


def test_a_float32_in_csv_is_short_and_reads_back_equal(tmp_path: Path) -> None:
    artifacts.write_csv(tmp_path / "c", pd.DataFrame({"x": np.array([0.1], np.float32)}))
    assert (tmp_path / "c").read_text() == "x\n0.1\n"


NAMES = ["007", "nan", "NA", "1e5", "", "null", "True", "-", "a,b", 'a "b"', "a\rb", " ä ", "2024"]


@pytest.mark.parametrize("column", sorted(artifacts.TEXTS))
@pytest.mark.parametrize("as_bytes", [True, False])
def test_what_a_person_called_something_stays_text(
    tmp_path: Path, column: str, as_bytes: bool
) -> None:
    path = tmp_path / "c.csv"
    frame = pd.DataFrame({"label": range(len(NAMES)), column: NAMES})
    artifacts.write_csv(path, frame)
    read = artifacts.read_csv(io.BytesIO(path.read_bytes()) if as_bytes else path)
    pd.testing.assert_frame_equal(read, frame)
    numbers = pd.DataFrame({column: ["1", "2"]})  # a column of nothing else
    artifacts.write_csv(path, numbers)
    pd.testing.assert_frame_equal(artifacts.read_csv(path), numbers)


def test_other_columns_are_numbers_or_text_where_only_nothing_is_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "probability": [0.25, np.nan, 1e-7],
            "label": [0, 1, 2],
            "right": [True, False, True],
            "verdict": ["inside", "nan", None],
        }
    )
    artifacts.write_csv(tmp_path / "c", frame)
    pd.testing.assert_frame_equal(artifacts.read_csv(tmp_path / "c"), frame)


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    artifacts.write_csv(tmp_path / "c", pd.DataFrame(columns=["path", "reason", "value"]))
    read = artifacts.read_csv(tmp_path / "c")
    assert (read.columns.tolist(), len(read)) == (["path", "reason", "value"], 0)


def test_timed_writes_the_seconds_that_the_block_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 102.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    with artifacts.timed(tmp_path / "s.json"):
        pass
    assert json.loads((tmp_path / "s.json").read_text()) == {"seconds": 2.5}


def test_timed_writes_nothing_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), artifacts.timed(tmp_path / "s.json"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
def test_an_array_reads_back_equal_and_is_not_in_memory(tmp_path: Path, dtype: Any) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    artifacts.write_npy(tmp_path / "a.npy", array)
    read = artifacts.read_npy(tmp_path / "a.npy")
    assert isinstance(read, np.memmap)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("lengths", [(2, 3, 1), (6,), (), (0, 2)])
def test_an_array_in_parts_has_the_bytes_of_the_whole(
    tmp_path: Path, lengths: tuple[int, ...]
) -> None:
    random = np.random.default_rng(0)
    parts = [random.integers(0, 256, (n, 4, 4, 3), np.uint8)[:, ::-1] for n in lengths]
    array = np.concatenate([np.zeros((0, 4, 4, 3), np.uint8), *parts])
    artifacts.write_npy(tmp_path / "whole.npy", array)
    artifacts.write_npy_in_parts(tmp_path / "parts.npy", array.shape, iter(parts))
    assert (tmp_path / "parts.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_an_array_is_absent_if_a_part_fails(tmp_path: Path) -> None:
    def parts() -> Iterator[NDArray[np.uint8]]:
        yield np.zeros((1, 2), np.uint8)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        artifacts.write_npy_in_parts(tmp_path / "a.npy", (2, 2), parts())
    assert names(tmp_path) == []


def test_a_read_array_cannot_change_its_file(tmp_path: Path) -> None:
    artifacts.write_npy(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        artifacts.read_npy(tmp_path / "a.npy")[0] = 1


def test_objects_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        artifacts.write_npy(tmp_path / "a.npy", np.array([{}], dtype=object))
    assert names(tmp_path) == []


def pickled(path: Path) -> None:
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)


def cut(path: Path) -> None:
    artifacts.write_npy(path, np.zeros(100))
    path.write_bytes(path.read_bytes()[:-1])


def cut_in_its_header(path: Path) -> None:
    artifacts.write_npy(path, np.zeros(100))
    path.write_bytes(path.read_bytes()[:20])


def empty(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("0.5, 0.25")


@pytest.mark.parametrize("write", [pickled, cut, cut_in_its_header, empty, text])
def test_what_is_no_whole_array_of_numbers_is_refused(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "a.npy"
    write(path)
    message = (
        r"a\.npy: expected a whole \.npy file of numbers\. Received: .+\. "
        r"Delete it and run `dvc repro` again\."
    )
    with pytest.raises(errors.InputError, match=message):
        artifacts.read_npy(path)


ARRAYS: dict[str, NDArray[Any]] = {
    "heat": np.arange(6, dtype=np.float16).reshape(2, 3),
    "activations/conv1": np.zeros((2, 2), np.uint8),
    "id": np.array(["cat.0", "Löwe.1"]),
    "hash": np.array("ab"),
}


def test_named_arrays_read_back_equal_and_have_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        artifacts.write_npz(tmp_path / name, ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as members:
        assert {member.date_time[0] for member in members.infolist()} == {1980}
    read = artifacts.read_npz(tmp_path / "a.npz")
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_named_objects_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle=False"):
        artifacts.write_npz(tmp_path / "a.npz", {"a": np.array([{}], dtype=object)})
    assert names(tmp_path) == []


def pickled_in_a_zip(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.array([{}], dtype=object))


def cut_zip(path: Path) -> None:
    artifacts.write_npz(path, ARRAYS)
    path.write_bytes(path.read_bytes()[:-1])


def single(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


@pytest.mark.parametrize("write", [pickled_in_a_zip, cut_zip, single, empty, text])
def test_what_is_no_whole_file_of_named_arrays_is_refused(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "a.npz"
    write(path)
    message = r"a\.npz: expected a whole \.npz file of numbers and texts\. Received: .+\. Delete it"
    with pytest.raises(errors.InputError, match=message):
        artifacts.read_npz(path)


def test_views_are_read_in_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        artifacts.write_npy(tmp_path / f"view-{number:02d}.npy", np.array([number]))
    (tmp_path / "readme.txt").touch()
    views: list[NDArray[Any]] = artifacts.read_views(tmp_path)
    assert [int(view[0]) for view in views] == [1, 2, 10]
