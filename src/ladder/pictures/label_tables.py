"""Tables that say which class a picture is of: metadata.csv, metadata.jsonl, or another CSV."""

import codecs
import csv
import io
import json
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ladder import errors
from ladder.pictures import folders, originals
from ladder.pictures.contents import (
    Claim,
    Entry,
    Level,
    class_name,
    listed,
    normalised,
    subset_of,
)

METADATA = ("metadata.csv", "metadata.jsonl")  # as Hugging Face's imagefolder calls them
ENDINGS = (".csv", ".tsv")
PATHS = ("file_name", "path", "filename", "image")
LABELS = ("label", "class_name", "class")
SUBSETS = ("split", "subset")
DELIMITERS = ",;\t"
HEAD = 1 << 16  # bytes that hold the names of the columns
OF_ONE_PIECE = "metadata.json"
LONGEST = 40  # letters of a column's name in a message
ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|[\\/]")
WHOLE = re.compile(r"([+-]?\d+)(?:\.0+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """What a table says of one picture."""

    line: int  # where the row begins, from 1
    path: str  # as it stands in the table, relative to the table's folder; see `folders.safe`
    label: str  # "" where there is none
    subset: str  # as it stands in the table; "" where there is none


def find(
    files: originals.Originals, level: Level, has_class_folders: bool
) -> tuple[dict[Entry, str], dict[str, str]]:
    """Returns the tables of a folder with the subset that each is of, "" for all.

    Those called as in `METADATA` come first, in the folder or in its folders of subsets; else any
    CSV file in it, unless it has folders of classes: predictions are tables of labels, too. The
    second are the names of tables that do not count, with reasons.
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
    passed_over = {
        entry.name: "a table in JSON is read as metadata.jsonl, one object a line"
        for entry in level.direct
        if entry.is_file and entry.parts[-1].lower() == OF_ONE_PIECE
    }
    for group in (metadata, others):
        lacks = {entry: _lack(files, entry.name) for entry in group}
        passed_over |= {entry.name: lack for entry, lack in lacks.items() if lack}
        tables = {entry: subset for entry, subset in group.items() if not lacks[entry]}
        if tables and group is others and has_class_folders:
            beside = f"beside folders of classes, only {METADATA[0]} counts as a table of labels"
            return {}, passed_over | {entry.name: beside for entry in tables}
        if tables:
            if group is metadata:
                count = f"{next(iter(tables)).name} counts as the table of labels"
                passed_over |= {entry.name: count for entry in others}
            return tables, passed_over
    return {}, passed_over


def _lack(files: originals.Originals, name: str) -> str:
    """Returns why a file tells no labels, "" where it does."""
    try:
        text = _text(files.head(name, HEAD), "ignore")
    except OSError as error:
        return f"cannot be read: {error}"
    rows = list(_objects(text)) if name.lower().endswith(".jsonl") else _headings(text)
    if any(all(_keys(row)) for row in rows):
        return ""
    columns = max(rows, key=len, default=[])
    names = [folders.safe(column.strip())[:LONGEST] for column in columns]
    if not any(names):
        return "a table without columns"
    missing = [
        columns_named[0]
        for columns_named, key in zip((PATHS, LABELS), _keys(columns), strict=True)
        if key is None
    ]
    noun = "column" if len(missing) == 1 else "columns"
    return f"a table without the {noun} {' and '.join(missing)}; it has {listed(names)}"


def _is_metadata(entry: Entry) -> bool:
    return entry.is_file and entry.parts[-1].lower() in METADATA


def claims(
    files: originals.Originals, tables: Mapping[Entry, str], entries: Iterable[Entry]
) -> tuple[list[Claim], list[tuple[str, str]], list[str]]:
    """Returns what the rows of tables claim, and rows that claim nothing (path, reason).

    A row without a file, and one that another row contradicts, is a claim of a file that is passed
    over: its class must not get lost. The last are the tables whose absolute paths are taken as
    if they lay where the table lies.

    Raises:
        InputError: a table cannot be read, or names an unknown subset.
    """
    known = {"/".join(entry.parts): entry for entry in entries if entry.is_file}
    known = {normalised(name): entry for name, entry in known.items()} | known
    claims: list[Claim] = []
    nothing: list[tuple[str, str]] = []
    rows_of: dict[Entry, list[tuple[str, Claim]]] = defaultdict(list)
    moved: list[str] = []
    for table, subset in tables.items():
        folder, table_rows = "/".join(table.parts[:-1]), _whole(read(files, table.name))
        beginning = _beginning(folder, [row.path for row in table_rows], known)
        moved += [table.name] * bool(beginning)
        for row in table_rows:
            place = f"{table.name}, line {row.line}"
            names = _resolved(folder, row.path, beginning)
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
    return claims, nothing, moved


def _whole(rows: list[Row]) -> list[Row]:
    """Returns rows with labels such as 0.0 as 0, if all are whole numbers: pandas mixes them."""
    matches = [WHOLE.fullmatch(row.label) for row in rows if row.label]
    if not all(matches):
        return rows
    return [replace(row, label=row.label.partition(".")[0]) for row in rows]


def _beginning(folder: str, paths: Iterable[str], known: Mapping[str, Entry]) -> str:
    """Returns the beginning of absolute paths that most often leaves the path of a file here.

    Where the folder lies, or lay when the table was written, need not be known: a copy has the
    same layout. It is "" where there is none.
    """
    fits: Counter[str] = Counter()
    for path in paths:
        parts = path.replace("\\", "/").split("/") if ABSOLUTE.match(path) else []
        for at in range(1, len(parts)):
            if "/".join([*([folder] if folder else []), *parts[at:]]) in known:
                fits["/".join(parts[:at])] += 1
    return max(fits, key=lambda beginning: (fits[beginning], -len(beginning)), default="")


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


def read(files: originals.Originals, name: str) -> list[Row]:
    """Returns the rows of a table of `find`, in order; rows without any value are left out.

    Raises:
        InputError: it cannot be read, is not UTF-8, or a line is not as the format says.
    """
    try:
        text = _text(files.read(name), "strict")
        rows = list(_of_json(text) if name.lower().endswith(".jsonl") else _of_csv(text))
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


def _headings(text: str) -> list[list[str]]:
    """Returns the columns that the first line has with each of `DELIMITERS`."""
    rows: list[list[str]] = []
    for delimiter in DELIMITERS:
        try:
            rows.append(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []))
        except csv.Error:
            rows.append([])
    return rows


def _of_csv(text: str) -> Iterator[Row]:
    delimiters = zip(DELIMITERS, _headings(text), strict=True)
    delimiter = next((sign for sign, columns in delimiters if all(_keys(columns))), ",")
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
    parts = re.split(r"([\\/])", path)
    return Row(line, "".join(map(folders.safe, parts)), folders.safe(label), subset)


def _resolved(folder: str, path: str, beginning: str) -> Iterator[str]:
    """Yields the names that a row's path may stand for, relative to the root."""
    of_windows = path.replace("\\", "/")
    ways = [path, of_windows]
    if beginning and of_windows.startswith(f"{beginning}/"):
        ways.append(of_windows.removeprefix(f"{beginning}/"))
    for way in ways:
        name = posixpath.normpath(f"{folder}/{way}").lstrip("/")
        yield name
        yield normalised(name)
