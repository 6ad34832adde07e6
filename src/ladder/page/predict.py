"""What `ladder predict` does: files, folders and patterns in; a table, files and heatmaps out."""

import glob
import os
import sys
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from json import dumps
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from ladder import artifacts, errors
from ladder.networks import deployed
from ladder.pictures import archives, contents, folders, originals

COLUMNS = 6  # classes that have a column each in a terminal
BEST = 3  # classes that are shown where there are more
HEATMAP_BATCH_SIZE = 10  # changes only memory and speed
HEATMAP_SIZE = 384  # pixels, at least

Problem = tuple[str, str]  # path, reason


def predict_paths(
    arguments: Sequence[str],
    name: str | None,
    rung: str | None,
    csv: Path | None,
    as_json: bool,
    heatmaps: Path | None,
) -> int:
    """Predicts the pictures that the arguments name; returns the exit status.

    That is 1 if something that was named could not be used, which stderr tells in a line. An
    argument is a file, a folder, whose pictures are taken at any depth, or a pattern such as
    `new/*.jpg`. The table goes to stdout, unless `csv` or `as_json` ask for another form; a `csv`
    of `-` is stdout. A picture's heatmap is written into the folder `heatmaps`: as the network sees
    the picture, a square.

    Raises:
        InputError: no such model, or the options do not go together; before any long work.
    """
    files = deployed.find(name, rung)
    _check_outputs(csv, as_json, heatmaps)
    pictures, problems = expand(arguments)
    _tell(problems)
    if heatmaps:
        _check_apart(heatmaps, pictures)
    if not pictures:
        return 1
    _print(f"ladder: model {files.name}, rung {files.rung}", sys.stderr)
    model = deployed.read(files)  # TensorFlow starts
    predictions = model.predict(pictures)
    unreadable: list[Problem] = list(predictions.unreadable.itertuples(index=False, name=None))
    _tell(unreadable)
    _write(predictions.frame, model.class_names, csv, as_json)
    if heatmaps:
        unreadable += _write_heatmaps(files, predictions.frame, model.class_names, heatmaps)
    return 1 if problems or unreadable else 0


def expand(arguments: Iterable[str]) -> tuple[list[Path], list[Problem]]:
    """Returns the files that the arguments stand for, in their order, and those that fit nothing.

    Pictures of a folder stand in natural order, 2 before 10; its litter is passed over. A file that
    is named twice is there once.
    """
    pictures: list[Path] = []
    problems: list[Problem] = []
    for argument in arguments:
        paths = _matches(argument)
        if not paths:
            problems.append((argument, "nothing there"))
        for path in paths:
            if path.is_dir():
                inside, passed_over = _pictures_in(path)
                pictures += inside
                problems += passed_over
                if not inside:
                    problems.append((str(path), "a folder without pictures"))
            else:
                pictures.append(path)
    return [*dict.fromkeys(pictures)], problems


def _matches(argument: str) -> list[Path]:
    """Returns what a path stands for that the shell did not expand."""
    try:
        path = Path(argument).expanduser()
        if path.exists():
            return [path]
        found = glob.glob(str(path), recursive=True)  # noqa: PTH207  # also of absolute patterns
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, nobody's home
        return []
    return [Path(name) for name in sorted(found, key=archives.natural)]


def _pictures_in(folder: Path) -> tuple[list[Path], list[Problem]]:
    """Returns the files of a folder that a climb would take for pictures, and what it cannot list.

    Other files are named on stderr.
    """
    files, problems = folders.listing(folder)
    looks = contents.entries(originals.of_folder(files))
    is_picture = {entry.name: entry.is_picture for entry in looks}
    names = sorted(files, key=archives.natural)
    pictures = [name for name in names if is_picture[name]]
    if passed_over := [name for name in names if not is_picture[name]]:
        shown = ", ".join(passed_over[:3]) + (", …" if len(passed_over) > 3 else "")
        number = f"{len(passed_over):,} file{'s' if len(passed_over) > 1 else ''} passed over"
        _print(f"ladder: {_printable(str(folder))}: {number}: {_printable(shown)}", sys.stderr)
    unlisted = [(str(folder / name), why) for name, why in problems if why != folders.EMPTY]
    return [files[name] for name in pictures], unlisted


def _check_outputs(csv: Path | None, as_json: bool, heatmaps: Path | None) -> None:
    if as_json and csv == Path("-"):
        raise errors.InputError(
            "predict",
            expected="one form on stdout",
            received="--csv - and --json",
            advice="Give --csv a file.",
        )
    try:
        if csv and csv != Path("-"):
            _check_file(csv)
            _check_place(csv.parent)
        if heatmaps:
            _check_place(heatmaps)
    except OSError as error:
        raise errors.InputError(
            "predict",
            expected="names that the disk takes, for what it writes",
            received=error,
            advice="Choose others.",
        ) from error


def _check_file(csv: Path) -> None:
    if csv.exists() and (csv.is_dir() or csv.suffix.lower() != ".csv"):
        raise errors.InputError(  # `--csv new/*.jpg` would write over a picture
            f"--csv {csv}",
            expected="a new file, or an old one that ends in .csv",
            received="a folder" if csv.is_dir() else "another file",
            advice="Name the file right after --csv, then the pictures.",
        )


def _check_place(folder: Path) -> None:
    place = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise errors.InputError(
            str(folder),
            expected="a folder that may be written to",
            received=f"{place}, {'which may not be' if place.is_dir() else 'a file'}",
            advice="Choose another one.",
        )


def _check_apart(heatmaps: Path, pictures: Sequence[Path]) -> None:
    """Checks that no heatmap becomes a picture of the next time, or is written over one."""
    folder = heatmaps.resolve()
    for picture in pictures:
        if picture.absolute().parent.resolve().is_relative_to(folder):
            raise errors.InputError(
                f"--heatmap {heatmaps}",
                expected="a folder without pictures that are to be predicted",
                received=picture,
                advice="Choose another folder.",
            )


def _tell(problems: Iterable[Problem]) -> None:
    for path, reason in problems:
        _print(f"ladder: {_printable(path)}: {_printable(reason)}", sys.stderr)


def _write(
    frame: pd.DataFrame, class_names: Sequence[str], csv: Path | None, as_json: bool
) -> None:
    if csv:
        content = frame.assign(path=frame["path"].map(_utf8))
        if csv == Path("-"):
            _print(content.to_csv(index=False, lineterminator="\n").rstrip("\n"))
        else:
            artifacts.write_csv(csv, content)
            _print(f"ladder: {len(frame):,} predictions in {_printable(str(csv))}", sys.stderr)
    if as_json:
        _print(dumps(records(frame, class_names), indent=2))
    if not csv and not as_json:
        _print(table(frame, class_names))


def records(frame: pd.DataFrame, class_names: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the predictions as JSON has them: path, label, confidence, probabilities by class."""
    columns = deployed.class_columns(class_names)
    confidences, probabilities = frame["confidence"].to_numpy(), frame[columns].to_numpy()
    rows = zip(frame["path"], frame["label"], confidences, probabilities, strict=True)
    return [
        {
            "path": _utf8(path),
            "label": label,
            "confidence": _short(confidence),
            "probabilities": dict(zip(class_names, map(_short, row), strict=True)),
        }
        for path, label, confidence, row in rows
    ]


def _short(probability: np.float32) -> float:
    """Returns the number with the fewest digits that is this one in float32."""
    return float(str(probability))


def table(frame: pd.DataFrame, class_names: Sequence[str]) -> str:
    """Returns the predictions as aligned lines, with a column for each class.

    Of more than six classes only the most probable three are shown.
    """
    probabilities = frame[deployed.class_columns(class_names)].to_numpy()
    if len(class_names) <= COLUMNS:
        heads = list(class_names)
        cells = [[_percent(value) for value in row] for row in probabilities]
    else:
        heads = ["second", "third"]
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, 1:BEST]
        cells = [
            [f"{class_names[label]} {_percent(row[label])}" for label in labels]
            for row, labels in zip(probabilities, best, strict=True)
        ]
    lines = [["path", "label", "confidence", *heads]] + [
        [path, label, _percent(confidence), *row]
        for path, label, confidence, row in zip(
            frame["path"], frame["label"], frame["confidence"], cells, strict=True
        )
    ]
    return _aligned([[_printable(cell) for cell in line] for line in lines])


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f} %"


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Returns cells in columns: the first two from the left, the others to the right."""
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    rows = []
    for line in lines:
        cells = []
        for i, (cell, width) in enumerate(zip(line, widths, strict=True)):
            space = " " * (width - _width(cell))
            cells.append(cell + space if i < 2 else space + cell)
        rows.append("  ".join(cells).rstrip())
    return "\n".join(rows)


def _width(text: str) -> int:
    """Returns how many places a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def _printable(text: str) -> str:
    """Returns a text in one line; what a terminal would obey, or cannot encode, is written out."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def _print(text: str, stream: IO[str] | None = None) -> None:
    """Prints text; a sign that the terminal cannot show is written out."""
    stream = stream or sys.stdout
    encoding: str = getattr(stream, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)


def _utf8(path: str) -> str:
    """Returns a path as files in UTF-8 can hold it, a byte that is not UTF-8 written out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _write_heatmaps(
    files: deployed.Files, frame: pd.DataFrame, class_names: Sequence[str], folder: Path
) -> list[Problem]:
    """Writes a PNG for each picture, named after it; returns those that became unreadable."""
    if frame.empty:
        return []
    from ladder.evidence import heatmaps
    from ladder.page import grids

    model = deployed.read(files, policy="float32")  # as the page's heatmaps
    look, pictures = heatmaps.look(model.network), [Path(path) for path in frame["path"]]
    labels = frame["label"].map(list(class_names).index).to_numpy(np.int64)
    targets = heatmap_files(pictures, folder)
    size, problems = max(HEATMAP_SIZE, model.image_size), list[Problem]()
    bar = tqdm(total=len(pictures), desc="heatmap", unit="picture", disable=None)
    with bar, warnings.catch_warnings(action="ignore"):
        for batch in deployed.read_ahead(pictures, model.image_size, HEATMAP_BATCH_SIZE):
            problems += [(str(pictures[row]), reason) for row, reason in batch.reasons.items()]
            bar.update(len(batch.rows) + len(batch.reasons))
            if not batch.rows:
                continue
            maps = look(batch.images, labels[batch.rows])
            for row, image, heatmap in zip(batch.rows, batch.images, maps, strict=True):
                with artifacts.whole(targets[row]) as temporary:
                    Image.fromarray(grids.overlay(image, heatmap, size)).save(temporary, "PNG")
    _tell(problems)
    return problems


def heatmap_files(pictures: Sequence[Path], folder: Path) -> list[Path]:
    """Returns where the pictures' heatmaps lie: by their paths below the folder of all of them."""
    absolute = [Path(os.path.normpath(picture.absolute())) for picture in pictures]
    common = os.path.commonpath([path.parent for path in absolute])
    return [folder / f"{path.relative_to(common)}.png" for path in absolute]
