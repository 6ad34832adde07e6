import hashlib
import io

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from ladder import errors
from ladder.pictures import threads


def flat(colour: tuple[int, int, int]) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (7, 5), colour).save(content, "PNG")
    return content.getvalue()


def manifest_of(members: dict[str, bytes]) -> pd.DataFrame:
    digests = [hashlib.sha256(content).hexdigest() for content in members.values()]
    return pd.DataFrame({"path": list(members), "sha256": digests})


def numbered(count: int) -> dict[str, bytes]:
    return {f"train/cat.{i}.png": flat((i, 0, 0)) for i in range(count)}


def reds(pixels: NDArray[np.uint8]) -> list[int]:
    return [int(red) for red in pixels[:, 0, 0, 0]]


def test_all_pictures_are_decoded_in_the_manifests_order() -> None:
    members = numbered(40)
    order = np.random.default_rng(0).permutation(40)
    rows = manifest_of(members).iloc[order]
    (decoded,) = threads.decode_all(members.__getitem__, rows, 48)
    assert decoded.shape == (40, 48, 48, 3)
    assert decoded.dtype == np.uint8
    assert reds(decoded) == order.tolist()


def test_pictures_come_in_parts_so_that_not_all_are_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "DECODED", 4)
    members = numbered(10)
    asked: list[str] = []

    def read(path: str) -> bytes:
        asked.append(path)
        return members[path]

    parts = threads.decode_all(read, manifest_of(members), 48)
    assert reds(next(parts)) == [0, 1, 2, 3]
    assert len(asked) == 4  # no other picture yet
    assert [reds(part) for part in parts] == [[4, 5, 6, 7], [8, 9]]
    assert [*threads.decode_all(read, manifest_of({}), 48)] == []


def test_only_the_manifests_pictures_are_decoded() -> None:
    members = numbered(5)
    rows = manifest_of(members).iloc[[4, 1]]
    (decoded,) = threads.decode_all(members.__getitem__, rows, 48)
    assert reds(decoded) == [4, 1]


def test_changed_bytes_are_refused() -> None:
    members = numbered(3)
    rows = manifest_of(members)
    changed = members | {"train/cat.1.png": flat((9, 9, 9))}
    message = (
        rf"train/cat\.1\.png: expected sha256 {rows['sha256'][1]}, as in the manifest\. "
        r"Received: other bytes\. Run `dvc repro --force download`\."
    )
    with pytest.raises(errors.InputError, match=message):
        list(threads.decode_all(changed.__getitem__, rows, 48))
