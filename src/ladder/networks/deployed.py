"""The model that a climb hands over: its folder is written, found, and used on new pictures."""

import os
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from ladder import artifacts, errors, paths, rungs
from ladder.pictures import images, reading

SUMMARY = "model.json"
BATCH_SIZE = 32  # changes only memory and speed
OTHER_COLUMNS = ("path", "label", "confidence")  # beside a column for each class


@dataclass(frozen=True)
class Files:
    """Where the files of one rung's model lie."""

    name: str  # of the dataset
    rung: rungs.Rung
    weights: Path
    description: Path


@dataclass(frozen=True)
class Predictions:
    """What a model says of pictures, and the pictures that cannot be read."""

    frame: pd.DataFrame  # path, label, confidence, a column for each class: see `class_columns`
    unreadable: pd.DataFrame  # path, reason


@dataclass(frozen=True)
class Model:
    """A trained model that takes pictures as files or as bytes."""

    name: str  # of the dataset
    rung: rungs.Rung
    class_names: Sequence[str]  # in the order of the labels
    image_size: int  # pixels
    network: Any  # keras.Model: raw pixels → probabilities

    def predict(
        self,
        pictures: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        batch_size: int = BATCH_SIZE,
    ) -> Predictions:
        """Returns a row for each file that can be read, in the order given, and the others.

        Memory for pixels does not grow with the number of pictures.
        """
        if isinstance(pictures, str | os.PathLike):
            pictures = [pictures]
        files = [Path(picture) for picture in pictures]
        probabilities = np.empty((len(files), len(self.class_names)), np.float32)
        reasons: dict[int, str] = {}
        bar = tqdm(total=len(files), desc="predict", unit="picture", disable=None)
        with bar, warnings.catch_warnings(action="ignore"):
            for batch in read_ahead(files, self.image_size, batch_size):
                reasons |= batch.reasons
                if batch.rows:
                    probabilities[batch.rows] = self.predict_images(batch.images)
                bar.update(len(batch.rows) + len(batch.reasons))
        rows = [row for row in range(len(files)) if row not in reasons]
        frame = _frame([files[row] for row in rows], probabilities[rows], self.class_names)
        bad = {
            "path": _texts(str(files[row]) for row in reasons),
            "reason": _texts(reasons.values()),
        }
        return Predictions(frame, pd.DataFrame(bad))

    def predict_bytes(
        self, contents: Sequence[bytes], batch_size: int = BATCH_SIZE
    ) -> NDArray[np.float32]:
        """Returns the probabilities (n, k) of encoded pictures; of two classes, both.

        Raises:
            InputError: a picture cannot be read; it is named by its place.
        """
        probabilities = np.empty((len(contents), len(self.class_names)), np.float32)
        for start in range(0, len(contents), batch_size):
            rows = range(start, min(start + batch_size, len(contents)))
            with warnings.catch_warnings(action="ignore"):
                decoded = [_decode(contents[row], row, self.image_size) for row in rows]
            probabilities[rows] = self.predict_images(np.stack(decoded))
        return probabilities

    def predict_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the probabilities (n, k) of a batch of decoded pictures (n, S, S, 3)."""
        outputs: NDArray[np.float32] = self.network.predict_on_batch(pixels.astype(np.float32))
        if outputs.shape[1] == 1:  # a sigmoid: the second of two classes
            return np.concatenate([1 - outputs, outputs], axis=1)
        return outputs


@dataclass(frozen=True)
class Batch:
    """Some pictures of a list: those that could be read, and why the others could not."""

    rows: list[int]
    images: NDArray[np.uint8]  # (len(rows), S, S, 3)
    reasons: dict[int, str]  # by row


def read_ahead(files: Sequence[Path], image_size: int, batch_size: int) -> Iterator[Batch]:
    """Yields the pictures in order, batch by batch; the next batch is decoded meanwhile."""
    with ThreadPoolExecutor() as pool:

        def submit(start: int) -> list[Any]:
            some = files[start : start + batch_size]
            return [pool.submit(images.decode_file, file, image_size) for file in some]

        ahead = submit(0)
        for start in range(0, len(files), batch_size):
            futures, ahead = ahead, submit(start + batch_size)
            results = {start + i: future.result() for i, future in enumerate(futures)}
            decoded = {
                row: pixels for row, pixels in results.items() if not isinstance(pixels, str)
            }
            reasons = {row: reason for row, reason in results.items() if isinstance(reason, str)}
            stacked = np.stack([*decoded.values()]) if decoded else np.empty((0,), np.uint8)
            yield Batch([*decoded], stacked, reasons)


def _decode(content: bytes, row: int, image_size: int) -> NDArray[np.uint8]:
    try:
        return images.decode(content, image_size)
    except reading.UnreadableError as error:
        raise errors.InputError(
            f"picture {row + 1}",
            expected="a picture that can be read",
            received=error,
            advice="Mend it or leave it out.",
        ) from error


def class_columns(class_names: Sequence[str]) -> list[str]:
    """Returns the columns of the classes: their names.

    If a class is called like another column, each name has `class ` before it.
    """
    is_taken = any(name in OTHER_COLUMNS for name in class_names)
    return [f"class {name}" if is_taken else name for name in class_names]


def _frame(
    files: Sequence[Path], probabilities: NDArray[np.float32], class_names: Sequence[str]
) -> pd.DataFrame:
    labels = probabilities.argmax(axis=1)  # of two equally probable, the first
    columns = {
        "path": _texts(map(str, files)),
        "label": _texts(class_names[label] for label in labels),
        "confidence": pd.Series(probabilities.max(axis=1)),
    }
    by_class = zip(class_columns(class_names), probabilities.T, strict=True)
    return pd.DataFrame(columns | {name: pd.Series(column) for name, column in by_class})


def _texts(texts: Iterable[str]) -> pd.Series:
    """Returns a column of texts, also of names that are not UTF-8, as pandas' own are not."""
    return pd.Series(list(texts), dtype=object)


def deploy(
    files: paths.DatasetPaths, rung: rungs.Rung, target: Path, summary: Mapping[str, Any]
) -> None:
    """Writes the folder of models to use: every trained rung's files, and `model.json`.

    `rung` is the advised one, which `model.json` names. `summary` adds to it what the rung's files
    do not say, such as accuracy. A folder that is there already is replaced.
    """
    content = artifacts.read_json(files.description(rung))
    model = content["model"]
    about = {key: model[key] for key in ("class_names", "image_size")}
    about |= {"name": files.name, "rung": rung, "runtime": content["runtime"]}
    with artifacts.whole(target) as folder:
        folder.mkdir()
        for each in rungs.RUNGS:
            for path in (files.weights(each), files.description(each)):
                if path.is_file() or each == rung:
                    shutil.copyfile(path, folder / path.name)
        artifacts.write_json(folder / SUMMARY, {**about, **summary})


def names() -> list[str]:
    """Returns the names of the models that climbs of this project handed over."""
    return sorted(path.parent.name for path in paths.MODELS.glob(f"[!.]*/{SUMMARY}"))


def find(name_or_folder: str | Path | None = None, rung: str | None = None) -> Files:
    """Returns the files of a model, by default of the advised rung; TensorFlow is not needed.

    A name is looked for in `models/` first. None stands for the only model that is there.

    Raises:
        InputError: there is no such model, or not of this rung; the message lists what there is.
    """
    folder = _only_folder() if name_or_folder is None else _folder(name_or_folder)
    summary = _read(folder / SUMMARY, "name", "rung")
    wanted = rungs.named(summary["rung"] if rung is None else rung)
    name = str(summary["name"])
    every = {
        each: Files(name, each, folder / f"{each}.weights.h5", folder / f"{each}.json")
        for each in rungs.RUNGS
    }
    there = [e for e, f in every.items() if f.weights.is_file() and f.description.is_file()]
    if wanted not in there:
        raise errors.InputError(
            str(folder),
            expected=f"{wanted}.weights.h5 and {wanted}.json",
            received=", ".join(there) or "no rung",
            advice="Choose one of these rungs, or climb again.",
        )
    return every[wanted]


def _only_folder() -> Path:
    known = names()
    if len(known) != 1:
        raise errors.InputError(
            "name of a model",
            expected=f"one of {', '.join(known)}" if known else f"a model in {paths.MODELS}/",
            received="no name" if known else "none",
            advice="Name it: --ladder NAME, or `ladder demo NAME`."
            if known
            else errors.climb_first(),
        )
    return paths.MODELS / known[0]


def _folder(name_or_folder: str | Path) -> Path:
    for folder in (paths.MODELS / name_or_folder, Path(name_or_folder)):
        if (folder / SUMMARY).is_file():
            return folder
    known = ", ".join(names())
    raise errors.InputError(
        "name of a model",
        expected=f"one of {known}, or a folder with {SUMMARY}" if known else f"{SUMMARY} in it",
        received=name_or_folder,
        advice="Correct the name." if known else errors.climb_first(),
    )


def load(name_or_folder: str | Path, rung: str | None = None) -> Model:
    """Returns a model to use, by its name in `models/` or its folder; see `find`.

    Raises:
        InputError: there is no such model, or its files are damaged.
    """
    return read(find(name_or_folder, rung))


def read(files: Files, policy: str | None = None) -> Model:
    """Returns the model in its files; it computes in the precision that it was trained in.

    So its labels are those that the climb predicted, on every machine. A Keras `policy` makes it
    compute in another precision.

    Raises:
        InputError: a file is damaged.
    """
    from ladder.networks import models

    content = _read(files.description, "model", "runtime")
    try:
        description = models.Description.model_validate(content["model"])
        trained: str = content["runtime"]["policy"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(files.description, error) from error
    from ladder.networks import runtime  # TensorFlow

    with runtime.computing_in(policy or trained):
        network = models.read(files.weights, description)
    return Model(files.name, files.rung, description.class_names, description.image_size, network)


def _read(path: Path, *keys: str) -> dict[str, Any]:
    """Returns the JSON object of a file, which has these keys.

    Raises:
        InputError: it is not there, or not such an object.
    """
    try:
        content: object = artifacts.read_json(path)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if not isinstance(content, dict):
        raise _damaged(path, "no object of JSON")
    if missing := [key for key in keys if key not in content]:
        raise _damaged(path, f"no {' and no '.join(missing)}")
    return content


def _damaged(path: Path, received: object) -> errors.InputError:
    return errors.InputError(
        str(path),
        expected="the file that a climb wrote",
        received=str(received).partition("\n")[0],
        advice="Climb again, or copy the folder again.",
    )
