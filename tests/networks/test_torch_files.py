"""A file of torch.save's old form is written here by hand, in pickle's own opcodes."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ladder import errors
from ladder.networks import torch_files


class Written:
    """Pickles as a call of a name in PyTorch, which need not be there."""

    def __init__(self, module: str, name: str, *arguments: Any) -> None:
        self.module, self.name, self.arguments = module, name, arguments


PythonPickler: Any = pickle._Pickler  # which can write any name


class Pickler(PythonPickler):  # type: ignore[misc]
    """Writes storages by their identity, and `Written` as what it stands for."""

    def persistent_id(self, item: Any) -> Any:
        return item if isinstance(item, tuple) and item and item[0] == "storage" else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, tuple) and obj and obj[0] == "storage":
            _, kind, *rest = obj
            self.write(pickle.MARK)
            super().save("storage", save_persistent_id=False)
            self.write(pickle.GLOBAL + f"torch\n{kind}\n".encode())
            for each in rest:
                super().save(each, save_persistent_id=False)
            self.write(pickle.TUPLE + pickle.BINPERSID)
        elif isinstance(obj, Written):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode() + pickle.MARK)
            for each in obj.arguments:
                self.save(each)
            self.write(pickle.TUPLE + pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def tensor(kind: str, name: str, count: int, *view: Any) -> Written:
    storage = ("storage", kind, name, "cpu", count, None)
    return Written("torch._utils", "_rebuild_tensor_v2", storage, *view, False, OrderedDict())


NUMBERS = np.arange(12, dtype="<f4")


def written(
    path: Path, tensors: dict[str, Any], magic: int = torch_files.MAGIC, size: int = 12
) -> Path:
    with path.open("wb") as file:
        contents = (magic, 1001, {"little_endian": True}, OrderedDict(tensors), ["1", "2"])
        for content in contents:
            Pickler(file, protocol=2).dump(content)
        for numbers in (NUMBERS, np.array([7], "<i8")):
            file.write(np.array([size if len(numbers) > 1 else 1], "<i8").tobytes())
            file.write(numbers.tobytes())
    return path


TENSORS = {
    "kernel": tensor("FloatStorage", "1", 12, 2, (2, 3), (1, 2)),  # numbers 2 …, by columns
    "steps": tensor("LongStorage", "2", 1, 0, (), ()),
}


def test_tensors_are_views_of_their_storages(tmp_path: Path) -> None:
    arrays = torch_files.read(written(tmp_path / "a.pth", TENSORS))
    assert list(arrays) == ["kernel", "steps"]
    np.testing.assert_array_equal(arrays["kernel"], [[2, 4, 6], [3, 5, 7]])
    assert arrays["kernel"].dtype == np.float32
    assert arrays["steps"].dtype == np.int64
    assert int(arrays["steps"]) == 7


@pytest.mark.parametrize("name", [("builtins", "print"), ("os", "system"), ("torch", "load")])
def test_a_name_that_is_no_tensors_is_refused(
    name: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "a.pth", {"kernel": Written(*name, "foreign code ran")})
    with pytest.raises(errors.InputError, match=rf"Received: {name[0]}\.{name[1]}"):
        torch_files.read(path)
    assert "foreign code" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shape", "strides", "offset"), [((13,), (1,), 0), ((2, 3), (9, 1), 2), ((1,), (1,), -1)]
)
def test_a_tensor_that_leaves_its_storage_is_refused(
    shape: tuple[int, ...], strides: tuple[int, ...], offset: int, tmp_path: Path
) -> None:
    kernel = tensor("FloatStorage", "1", 12, offset, shape, strides)
    path = written(tmp_path / "a.pth", TENSORS | {"kernel": kernel})
    with pytest.raises(errors.InputError, match=r"a\.pth: expected a file of torch\.save"):
        torch_files.read(path)


def test_another_file_is_refused(tmp_path: Path) -> None:
    paths = [tmp_path / "empty.pth", tmp_path / "text.pth", tmp_path / "cut.pth"]
    paths[0].touch()
    paths[1].write_text("hello\n")
    paths[2].write_bytes(written(tmp_path / "a.pth", TENSORS).read_bytes()[:-20])
    paths.append(written(tmp_path / "magic.pth", TENSORS, magic=1))
    paths.append(written(tmp_path / "count.pth", TENSORS, size=-1))
    for path in paths:
        with pytest.raises(errors.InputError, match=r"expected a file of torch\.save"):
            torch_files.read(path)
