"""A person's decisions on labels that may be wrong: read, put together, applied to pictures."""

import csv
import hashlib
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ladder import errors

DECISIONS = ("keep", "relabel", "drop")
COLUMNS = ["path", "sha256", "decision", "class_name"]  # class_name: the new one, of relabel
EFFECTS = ["path", "decision", "class_name", "corrected_class_name", "reason"]  # see `apply`
DELIMITERS = ",;\t"  # of spreadsheets
CLASSES = 20  # in a message


@dataclass(frozen=True)
class Corrected:
    """What corrections make of pictures; the indices are those of the pictures."""

    class_names: pd.Series  # the corrected ones
    is_dropped: pd.Series
    effects: pd.DataFrame  # see `apply`


class Record(NamedTuple):
    """What is known of a picture."""

    sha256: str
    class_name: str


def sha256(path: Path) -> str | None:
    """Returns the hash of a file of corrections, as `load` wants it; None where there are none."""
    content = path.read_bytes() if path.is_file() else b""
    is_empty = read(content, _where(path)).empty if content else True
    return None if is_empty else hashlib.sha256(content).hexdigest()


def _where(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def load(path: Path, sha256: str | None) -> pd.DataFrame:
    """Returns the corrections in a file, none without a hash.

    Raises:
        InputError: the file is not there, or its hash is another one.
    """
    if sha256 is None:
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    content = path.read_bytes() if path.is_file() else None
    received = "no such file" if content is None else hashlib.sha256(content).hexdigest()
    if content is None or received != sha256:
        raise errors.InputError(
            _where(path),
            expected=f"sha256 {sha256} (split.corrections)",
            received=received,
            advice="If these are the corrections, write this hash into split.corrections; `ladder "
            f"climb {path.stem}` does. Without corrections it is null.",
        )
    return read(content, _where(path))


def read(content: bytes, where: str) -> pd.DataFrame:
    """Returns the corrections in a CSV file that `where` names: the `COLUMNS`, all texts.

    Path and decision must be there. The rest may be empty or missing, but for the class_name of a
    relabelled picture.

    Raises:
        InputError: it is no such table; the line is named.
    """
    try:
        text = content.decode("utf-8-sig")
        rows = [*_rows(text)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise errors.InputError(
            where,
            expected="a table in CSV, in UTF-8",
            received=error,
            advice="Save the file from the page again.",
        ) from error
    for line, row in rows:
        _check(row, f"{where}, line {line}")
    return pd.DataFrame([row for _, row in rows], columns=COLUMNS, dtype=str)


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields the lines that hold a correction, with their numbers from 1."""
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = {name: name.strip().lower() for name in reader.fieldnames or ()}
    if missing := {"path", "decision"} - {*names.values()}:
        raise csv.Error(f"no column {' and no column '.join(sorted(missing))}")
    for values in reader:
        by_column = {names[name]: value for name, value in values.items() if name in names}
        row = {column: by_column.get(column) or "" for column in COLUMNS}
        if any(row.values()):
            decision = row["decision"].strip().lower()
            yield reader.line_num, row | {"decision": decision}


def _check(row: Mapping[str, str], where: str) -> None:
    if row["decision"] not in DECISIONS:
        raise errors.InputError(
            where,
            expected=f"a decision: {', '.join(DECISIONS)}",
            received=row["decision"] or "none",
            advice="Correct the line, or delete it.",
        )
    if not (row["path"] or row["sha256"]):
        raise errors.InputError(
            where, expected="a path", received="none", advice="Correct the line, or delete it."
        )
    if row["decision"] == "relabel" and not row["class_name"]:
        raise errors.InputError(
            where,
            expected="the new class in the column class_name",
            received="none",
            advice="Write the name of a class, or another decision.",
        )


def merged(earlier: pd.DataFrame | None, later: pd.DataFrame) -> pd.DataFrame:
    """Returns tables as one: of two decisions on a picture the later one counts."""
    both = pd.concat([earlier, later], ignore_index=True)
    return both.drop_duplicates(["path", "sha256"], keep="last", ignore_index=True)


def apply(pictures: pd.DataFrame, corrections: pd.DataFrame) -> Corrected:
    """Returns the corrected classes of pictures (path, sha256, class_name).

    A correction is of the picture with its path, and with its sha256 where it says one. A file that
    was renamed is known by its sha256. Other pictures of the same class and bytes go with it.
    Effects has a row per picture that is decided on, in order of the corrections: path, decision,
    class_name, corrected_class_name and an empty reason; and one per correction that fits no
    picture, with the reason and without classes.

    Raises:
        InputError: a picture gets a class that no picture has, or a class loses all its pictures.
    """
    columns = (pictures[column].astype(str) for column in ("path", "sha256", "class_name"))
    records = {path: Record(sha256, name) for path, sha256, name in zip(*columns, strict=True)}
    same_bytes: dict[str, list[str]] = {}
    for path, record in records.items():
        same_bytes.setdefault(record.sha256, []).append(path)
    known = {*pictures["class_name"]}
    effects: dict[str, dict[str, str]] = {}
    for values in corrections.to_dict("records"):
        row = {str(column): str(value) for column, value in values.items()}
        _check_class(row, known)
        names, reason = _pictures_of(row, records, same_bytes)
        if reason:
            effects[row["path"]] = _effect(row, row["path"], "", reason)
        effects |= {path: _effect(row, path, records[path].class_name) for path in names}
    decided = {path: effect for path, effect in effects.items() if not effect["reason"]}
    names = [
        decided[path]["corrected_class_name"] if path in decided else record.class_name
        for path, record in records.items()
    ]
    class_names = pd.Series(names, pictures.index, pictures["class_name"].dtype)
    drops = {path for path, effect in decided.items() if effect["decision"] == "drop"}
    is_dropped = pictures["path"].isin(drops)
    if lost := sorted(known - {*class_names[~is_dropped]}):
        raise errors.InputError(
            f"class {lost[0]}",
            expected="a picture that is neither relabelled nor dropped",
            received="corrections of all its pictures",
            advice="Move the pictures in your folder, or take back some corrections.",
        )
    table = pd.DataFrame([*effects.values()], columns=EFFECTS, dtype=str)
    return Corrected(class_names, is_dropped, table)


def no_effects() -> pd.DataFrame:
    """Returns the effects of no corrections."""
    return pd.DataFrame(columns=EFFECTS, dtype=str)


def _check_class(row: Mapping[str, str], known: Collection[str]) -> None:
    if row["decision"] == "relabel" and row["class_name"] not in known:
        raise errors.InputError(
            f"the correction of {row['path']}",
            expected=f"one of the classes {', '.join(sorted(known)[:CLASSES])}",
            received=row["class_name"],
            advice="Correct the column class_name.",
        )


def _pictures_of(
    row: Mapping[str, str],
    records: Mapping[str, Record],
    same_bytes: Mapping[str, Sequence[str]],
) -> tuple[Sequence[str], str]:
    """Returns the paths that a correction is of, or the reason why there are none."""
    record = records.get(row["path"])
    if record and row["sha256"] in ("", record.sha256):
        copies = same_bytes[record.sha256]
        return [path for path in copies if records[path].class_name == record.class_name], ""
    if row["sha256"] in same_bytes:
        return same_bytes[row["sha256"]], ""
    return [], "the file has changed since" if record else "no such picture"


def _effect(row: Mapping[str, str], path: str, class_name: str, reason: str = "") -> dict[str, str]:
    corrected = row["class_name"] if row["decision"] == "relabel" and not reason else class_name
    return dict(zip(EFFECTS, (path, row["decision"], class_name, corrected, reason), strict=True))
