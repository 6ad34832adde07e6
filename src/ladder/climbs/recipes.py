"""Recipes: lists of overrides of params.yaml, and what a climb by one of them reads and writes."""

import os
import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ladder import errors, paths, settings
from ladder.pictures import archives, sources

RECIPES = Path("recipes")
BOOK = "dogs_vs_cats"  # the recipe of the book's photographs; all others stand on it
NAME = re.compile(r"\w[\w-]*")
RESERVED = {"studies", "predictions", "figures"}  # folders in a dataset's reports


@dataclass(frozen=True)
class Plan:
    """What to climb on: a dataset's source, the overrides of params.yaml, where reports go.

    Studies of recipes lie below those of the default climb, where `render` finds them.
    """

    source: str
    overrides: tuple[str, ...]
    reports: Path
    studies: Path
    name: str


def plan(archive: str, recipe: str) -> Plan:
    """Returns the plan: params.yaml as it is, or a recipe; an archive alone means the book's.

    The archive's path travels in the environment alone, so that it enters no file.

    Raises:
        InputError: there is no such recipe or no archive.
    """
    name = recipe or (BOOK if archive else "")
    overrides: dict[str, str] = {}
    for each in dict.fromkeys((BOOK, name) if name else ()):
        overrides |= read(each)
    if archive:
        path = Path(archive).absolute()
        overrides["dataset.archive_sha256"] = archives.sha256(path)
        os.environ[sources.ARCHIVE_VARIABLE] = str(path)
    source = overrides.get("dataset.source") or settings.read(settings.PARAMS).dataset.source
    reports = paths.DatasetPaths(source).reports
    studies = reports / "studies"
    lines = tuple(f"{key}={value}" for key, value in overrides.items())
    if name in ("", BOOK):
        return Plan(source, lines, reports, studies, "book" if name else source)
    return Plan(source, lines, reports / name, studies / name, f"book-{name}")


def read(name: str) -> dict[str, str]:
    """Returns the overrides of a recipe, values by `section.key` as they are written.

    Raises:
        InputError: there is no such recipe, its name cannot be a folder of reports, or a line of
            it is no `key=value`.
    """
    path = RECIPES / f"{name}.txt"
    if not NAME.fullmatch(name) or name.lower() in RESERVED:
        raise errors.InputError(
            "RECIPE",
            expected=f"a name of letters and digits, other than {', '.join(sorted(RESERVED))}",
            received=name,
            advice="Rename the recipe: its results go into a folder of its name.",
        )
    if not path.is_file():
        raise errors.InputError(
            "RECIPE",
            expected=f"one of {', '.join(sorted(p.stem for p in RECIPES.glob('*.txt')))}",
            received=name,
            advice=f"Choose one, or write {path}.",
        )
    return read_list(path)


def read_list(path: Path) -> dict[str, str]:
    """Returns the values of a list of `key=value`, without its comments.

    Spaces around the sign and a byte-order mark are passed over, as editors leave them.

    Raises:
        InputError: a line is no `key=value`, or the file is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.InputError(
            str(path), expected="a text in UTF-8", received=error, advice="Save it as UTF-8."
        ) from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    overrides: dict[str, str] = {}
    for line in filter(None, lines):
        key, sign, value = (part.strip() for part in line.partition("="))
        if not (key and sign):
            raise errors.InputError(
                str(path),
                expected="lines of `key=value`",
                received=line,
                advice="Correct it: split.train_per_class=200.",
            )
        overrides[key] = value
    return overrides


def values(overrides: Sequence[str]) -> dict[str, Any]:
    """Returns overrides, `section.key=value`, by key, a later one over an earlier."""
    yaml = YAML(typ="safe", pure=True)
    pairs = (line.split("=", 1) for line in overrides)
    return {key: yaml.load(value) for key, value in pairs}


def params(path: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """Returns the content of a params.yaml with overrides, `section.key=value`.

    Raises:
        InputError: it has no such key.
    """
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    _change(content, values(overrides))
    return content


def write(path: Path, overrides: Sequence[str]) -> None:
    """Writes overrides, `section.key=value`, into a params.yaml, whose comments stay.

    Raises:
        InputError: it has no such key.
    """
    yaml = YAML()
    content = yaml.load(path)
    _change(content, values(overrides))
    yaml.dump(content, path)


def _change(content: Any, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        *sections, name = key.split(".")
        section = content
        for part in sections:
            section = section.get(part) if isinstance(section, Mapping) else None
        if not isinstance(section, MutableMapping) or name not in section:
            raise errors.InputError(
                "recipe", expected="keys of params.yaml", received=key, advice="Correct the recipe."
            )
        section[name] = value
