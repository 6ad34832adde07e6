"""Tables that say which class a picture is of: metadata.csv, metadata.jsonl, or another CSV."""

import codecs
import csv
import io
import json
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ladder import errors
from ladder.pictures import folders, originals
from ladder.pictures.contents import Claim, Entry, Level, class_name, normalised, subset_of

METADATA = ("metadata.csv", "metadata.jsonl")  # as Hugging Face's imagefolder calls them
ENDINGS = (".csv", ".tsv")
PATHS = ("file_name", "path", "filename", "image")
LABELS = ("label", "class_name", "class")
SUBSETS = ("split", "subset")
DELIMITERS = ",;\t"
HEAD = 1 << 16  # bytes that hold the names of the columns


@dataclass(frozen=True, slots=True)
class Row:
    """What a table says of one picture."""

    line: int  # where the row begins, from 1
    path: str  # as it stands in the table, relative to the table's folder; see `folders.safe`
    label: str  # "" where there is none
    subset: str  # as it stands in the table; "" where there is none


def find(files: originals.Originals, level: Level) -> tuple[dict[Entry, str], list[str]]:
    """Returns the tables of a folder with the subset that each is of, "" for all.

    Those called as in `METADATA` come first, in the folder or in its folders of subsets; else any
    CSV file in it. The second are the names of tables that tell no labels.
    """
    metadata = {entry: "" for entry in level.direct if _is_metadata(entry)}
    for folder, inside in level.inner.items():
        for entry in inside:
            is_right_below = len(entry.parts) == len(level.folder) + 2
            if is_right_below and _is_metadata(entry) and (subset := subset_of(folder)):
                metadata[entry] = subset
    others = {
        entry: ""
        for entry in level.direct
        if entry.name.lower().endswith(ENDINGS) and not _is_metadata(entry)
    }
    without_labels: list[str] = []
    for group in (metadata, others):
        tables = {e: subset for e, subset in group.items() if is_table(files, e.name)}
        without_labels += [entry.name for entry in group if entry not in tables]
        if tables:
            return tables, without_labels
    return {}, without_labels


def _is_metadata(entry: Entry) -> bool:
    return entry.is_file and entry.parts[-1].lower() in METADATA


def claims(
    files: originals.Originals, tables: Mapping[Entry, str], entries: Iterable[Entry]
) -> tuple[list[Claim], list[tuple[str, str]]]:
    """Returns what the rows of tables claim, and rows that claim nothing (path, reason).

    A row without a file, and one that another row contradicts, is a claim of a file that is passed
    over: its class must not get lost.

    Raises:
        InputError: a table cannot be read, or names an unknown subset.
    """
    known = {"/".join(entry.parts): entry for entry in entries if entry.is_file}
    known = {normalised(name): entry for name, entry in known.items()} | known
    claims: list[Claim] = []
    nothing: list[tuple[str, str]] = []
    rows_of: dict[Entry, list[tuple[str, Claim]]] = defaultdict(list)
    for table, subset in tables.items():
        for row in read(files, table.name):
            place = f"{table.name}, line {row.line}"
            names = _resolved("/".join(table.parts[:-1]), row.path)
            entry = next((known[name] for name in names if name in known), None)
            if not row.label:
                nothing.append((entry.name if entry else row.path, f"{place}: no label"))
                continue
            absent = Entry(row.path, (), f"{place}: no such file", is_file=False, is_picture=False)
            claim = Claim(
                entry or absent, class_name(row.label), subset or _subset(row, table.name)
            )
            if entry:
                rows_of[entry].append((place, claim))
            else:
                claims.append(claim)
    for entry, rows in rows_of.items():
        places, answers = [place for place, _ in rows], {claim for _, claim in rows}
        if len(answers) == 1:
            claims += answers
            nothing += [(entry.name, f"{place}: a second row") for place in places[1:]]
        else:
            reason = f"{' and '.join(places)}: another label or subset"
            claims += [replace(c, entry=replace(entry, reason=reason)) for c in answers]
    return claims, nothing


def _subset(row: "Row", table: str) -> str:
    subset = subset_of(row.subset)
    if row.subset and subset is None:
        raise errors.InputError(
            table,
            expected="train, validation or test as the subset of a picture",
            received=f"{row.subset} (line {row.line})",
            advice="Correct the line, or leave it empty.",
        )
    return subset or ""


def is_table(files: originals.Originals, name: str) -> bool:
    """Returns whether a file is a table with columns of paths and of labels."""
    try:
        head = files.head(name, HEAD)
    except OSError:
        return False
    if name.endswith(".jsonl"):
        return any(all(_keys(row)) for row in _objects(_text(head, "ignore")))
    return name.lower().endswith(ENDINGS) and _delimiter(_text(head, "ignore")) is not None


def read(files: originals.Originals, name: str) -> list[Row]:
    """Returns the rows of a table, see `is_table`, in order; rows without any value are left out.

    Raises:
        InputError: it cannot be read, is not UTF-8, or a line is not as the format says.
    """
    try:
        text = _text(files.read(name), "strict")
        rows = list(_of_json(text) if name.endswith(".jsonl") else _of_csv(text))
    except UnicodeDecodeError as error:
        raise errors.InputError(
            name,
            expected="text in UTF-8",
            received=f"the byte {error.object[error.start]:#04x}",
            advice="Save it as UTF-8; spreadsheets call it CSV UTF-8.",
        ) from error
    except (OSError, csv.Error, ValueError) as error:
        raise errors.InputError(
            name,
            expected="a table that can be read",
            received=error,
            advice="Correct the line, or write the table again.",
        ) from error
    return rows


def _text(content: bytes, on_error: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", on_error)
    return content.decode("utf-8-sig", on_error)


def _place(columns: Sequence[str], names: Sequence[str]) -> int | None:
    """Returns where the first of the names stands."""
    present = [column.strip().lower() for column in columns]
    return next((present.index(name) for name in names if name in present), None)


def _keys(columns: Sequence[str]) -> tuple[str | None, str | None]:
    """Returns the columns of the path and of the label."""
    path, label = _place(columns, PATHS), _place(columns, LABELS)
    return (None if path is None else columns[path], None if label is None else columns[label])


def _delimiter(text: str) -> str | None:
    for delimiter in DELIMITERS:
        try:
            columns = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        if all(_keys(columns)):
            return delimiter
    return None


def _of_csv(text: str) -> Iterator[Row]:
    delimiter = _delimiter(text) or ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = next(reader)
    places = [_place(columns, names) for names in (PATHS, LABELS, SUBSETS)]
    line = reader.line_num + 1
    for values in reader:
        if any(map(str.strip, values)):
            path, label, subset = (
                values[place].strip() if place is not None and place < len(values) else ""
                for place in places
            )
            yield _row(line, path, label, subset)
        line = reader.line_num + 1


def _of_json(text: str) -> Iterator[Row]:
    for line, content in enumerate(text.split("\n"), 1):
        if content.strip():
            try:
                values = json.loads(content)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"line {line}: {error}") from error
            if not isinstance(values, dict):
                raise ValueError(f"line {line}: no object such as {{'file_name': …}}")
            columns = list(values)
            places = [_place(columns, names) for names in (PATHS, LABELS, SUBSETS)]
            path, label, subset = (
                "" if place is None else _plain(values[columns[place]], line) for place in places
            )
            yield _row(line, path, label, subset)


def _objects(text: str) -> Iterator[list[str]]:
    """Yields the keys of the objects on the first lines that are whole."""
    for content in text.split("\n")[:100]:
        try:
            values = json.loads(content)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, dict):
            yield list(values)


def _plain(value: object, line: int) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise ValueError(f"line {line}: {value} where one value is expected")
    return str(value).strip()


def _row(line: int, path: str, label: str, subset: str) -> Row:
    return Row(line, "/".join(map(folders.safe, path.split("/"))), folders.safe(label), subset)


def _resolved(folder: str, path: str) -> Iterator[str]:
    """Yields the names that a row's path may stand for, relative to the root."""
    for way in (path, path.replace("\\", "/")):  # as Windows writes them
        name = posixpath.normpath(f"{folder}/{way}").lstrip("/")
        yield name
        yield normalised(name)
