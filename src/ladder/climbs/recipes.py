"""Recipes: lists of overrides of params.yaml, and what a climb by one of them reads and writes."""

import os
import re
import unicodedata
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ladder import artifacts, errors, paths, settings
from ladder.networks import weight_files
from ladder.pictures import corrections, sources

RECIPES = Path("recipes")
BOOK = "dogs_vs_cats"  # the recipe of the book's photographs
LONGEST = 60  # letters of a name
TEXTS = {"split.group"}  # keys whose values are texts, whatever they look like
# A comment starts a line, or follows a space; but not within quotes.
COMMENT = re.compile(r"(?:^|\s)#.*")
QUOTED = re.compile(r"""\s*[^=#]+=\s*(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")(?=\s*(?:#|$))""")
NAME = re.compile(r"[A-Za-z0-9]\w*(-\w+)*")
PLACES = paths.PARTIAL / "pictures"  # where a person's pictures lie, by dataset; git-ignored


@dataclass(frozen=True)
class Plan:
    """What to climb on: a dataset's name, the overrides of params.yaml, where reports go.

    Studies of recipes lie below those of the dataset's own climb, where `render` finds them.
    """

    dataset: str
    overrides: tuple[str, ...]
    reports: Path
    studies: Path
    name: str
    recipes: tuple[str, ...]  # those that the overrides are of


def plan(
    pictures: str = "",
    name: str = "",
    recipe: str = "",
    changes: Sequence[str] = (),
    proposed: Mapping[str, str] | None = None,
) -> Plan:
    """Returns the plan of a climb: the dataset's recipe, then another recipe, then changes.

    `pictures` is a path, the name of a dataset that has a recipe, or empty: then the dataset is
    that of `name`, and without one that of params.yaml as it is. `proposed` stands for the recipe
    of a dataset that has none yet. The dataset's corrections go by their hash. Paths travel in the
    environment alone, so that they enter no file of the project.

    Raises:
        InputError: there is no such dataset or recipe, or its pictures are not there.
    """
    path, dataset = path_of(pictures), dataset_of(pictures, name)
    of_recipe = recipe if recipe != dataset else ""
    names = [of_recipe] if of_recipe else []
    own = proposed or {}
    if not own and not _is_of_params(dataset):
        names, own = [dataset, *names], of_dataset(dataset)
    overrides = combined(own, of_recipe, changes)
    checked = settings_of(overrides).dataset
    if checked.name != dataset or any(line.startswith("dataset.") for line in changes):
        raise errors.InputError(
            "-S, or the recipe",
            expected=f"dataset.name={dataset}, and dataset.source as its recipe says",
            received=f"dataset.name={checked.name}, dataset.source={checked.source}",
            advice="PICTURES and --name say which dataset it is; leave these keys out.",
        )
    source = checked.source
    if path is None and source == "folder":
        path = remembered(dataset)
    if path is not None:
        overrides["dataset.sha256"] = sources.digest(path, source)
        os.environ[sources.PICTURES_VARIABLE] = str(path)
    sha256 = corrections.sha256(paths.DatasetPaths(dataset).corrections)
    if sha256 and "split.corrections" not in overrides:
        overrides["split.corrections"] = sha256
    reports = paths.DatasetPaths(dataset).reports
    return Plan(
        dataset,
        _lines(overrides),
        reports / of_recipe,
        reports / "studies" / of_recipe,
        f"{dataset}-{of_recipe}".removesuffix("-"),
        tuple(names),
    )


def dataset_of(pictures: str, name: str) -> str:
    """Returns the name of the dataset that a person means; see `plan`."""
    path = path_of(pictures)
    current = settings.read(settings.PARAMS).dataset.name
    return name or (name_of(path) if path else pictures) or current


def combined(own: Mapping[str, str], recipe: str, changes: Sequence[str]) -> dict[str, str]:
    """Returns a dataset's own overrides, then those of another recipe if there is one, then `-S`.

    Of two overrides of a key the later one counts.

    Raises:
        InputError: there is no such recipe, or a change is no `key=value`.
    """
    of_recipe = read(recipe) if recipe else {}
    return {**own, **of_recipe, **dict(split_line(line, "-S") for line in changes)}


def settings_of(overrides: Mapping[str, str]) -> settings.Settings:
    """Returns params.yaml with overrides, checked.

    Raises:
        InputError: a key or a value is wrong, or the weights of the base are not here.
    """
    checked = settings.checked(params(settings.PARAMS, _lines(overrides)), "-S, or the recipe")
    weight_files.check(checked.base)
    return checked


def _lines(overrides: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in overrides.items())


def path_of(pictures: str) -> Path | None:
    """Returns the path that a person means, which need not exist; None for a dataset's name."""
    try:
        path = Path(pictures).expanduser().absolute()
        is_there = path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # too long; ~nobody; a null byte
        raise errors.InputError(
            "the pictures",
            expected="a path, or the name of a dataset",
            received=f"{pictures[:80]} ({error})",
            advice="Correct the path.",
        ) from error
    return path if pictures and (is_there or not NAME.fullmatch(pictures)) else None


def is_recipe(name: str) -> bool:
    """Returns whether there is a recipe of this name."""
    return (RECIPES / f"{name}.txt").is_file()


def _is_of_params(name: str) -> bool:
    """Returns whether params.yaml alone describes this dataset."""
    return name == settings.read(settings.PARAMS).dataset.name and not is_recipe(name)


def name_of(path: Path) -> str:
    """Returns the name of a dataset after its folder or archive: letters, digits and hyphens."""
    stem = path.resolve().name if path.is_dir() else path.stem
    ascii_letters = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "-", ascii_letters).lower()[:40].strip("-")
    is_word = isinstance(YAML(typ="safe", pure=True).load(name), str)  # not `2024` or `null`
    return name if is_word and name not in settings.RESERVED else f"pictures-{name}".strip("-")


def check_name(name: str) -> None:
    """Checks what a person calls a dataset.

    Raises:
        InputError: it can be no folder, or YAML would not read it as a text.
    """
    is_word = isinstance(YAML(typ="safe", pure=True).load(name or "null"), str)
    is_short = len(name) <= LONGEST
    if not (is_short and NAME.fullmatch(name) and is_word) or name.lower() in settings.RESERVED:
        raise errors.InputError(
            "the name of the dataset",
            expected=f"at most {LONGEST} letters, digits, hyphens and underscores, no number, and "
            "no folder of the project",
            received=name[:80],
            advice="Choose another name: --name NAME.",
        )


def of_dataset(name: str) -> dict[str, str]:
    """Returns the overrides of the recipe that a dataset is described by.

    Raises:
        InputError: there is none, or it is a recipe for other datasets.
    """
    recipes = {file.stem: read_list(file) for file in RECIPES.glob("*.txt")}
    datasets = sorted(stem for stem, each in recipes.items() if each.get("dataset.name") == stem)
    if name not in datasets:
        if is_recipe(name):
            raise errors.InputError(
                "the name of the dataset",
                expected="one that no other recipe has",
                received=f"{name}, as recipes/{name}.txt, which does not say dataset.name={name}",
                advice="Choose another name: --name NAME.",
            )
        raise errors.InputError(
            "the pictures",
            expected="a folder or a zip archive of pictures, or a dataset: "
            + ", ".join(dict.fromkeys([settings.read(settings.PARAMS).dataset.name, *datasets])),
            received=name,
            advice="Correct the path or the name.",
        )
    return read(name)


def create(dataset: str, text: str) -> None:
    """Writes the recipe of a new dataset, and keeps its reports out of git.

    The file `.gitignore` in the reports does so until a person deletes it.
    """
    artifacts.write_text(RECIPES / f"{dataset}.txt", text)
    artifacts.write_text(paths.DatasetPaths(dataset).reports / ".gitignore", "*\n")


def remember(dataset: str, path: Path) -> None:
    """Notes where a dataset's pictures lie, in a file that git ignores."""
    artifacts.write_text(PLACES / dataset, f"{path}\n")


def place_of(dataset: str) -> Path | None:
    """Returns where a dataset's pictures lay when it was climbed last, if anybody has said."""
    note = PLACES / dataset
    return Path(note.read_text(encoding="utf-8").removesuffix("\n")) if note.is_file() else None


def remembered(dataset: str) -> Path:
    """Returns where a dataset's pictures lay when it was climbed last.

    Raises:
        InputError: nobody has said, or they are there no longer.
    """
    path = place_of(dataset)
    if path is None or not path.exists():
        raise errors.InputError(
            f"the pictures of {dataset}",
            expected="the folder or archive that they lie in",
            received="no path" if path is None else f"{path}, which is not there",
            advice=f"Say where they are: ladder climb PICTURES --name {dataset}.",
        )
    return path


def read(name: str) -> dict[str, str]:
    """Returns the overrides of a recipe, values by `section.key` as they are written.

    Raises:
        InputError: there is no such recipe, its name cannot be a folder of reports, or a line of
            it is no `key=value`.
    """
    path = RECIPES / f"{name}.txt"
    if not NAME.fullmatch(name) or name.lower() in settings.RESERVED:
        raise errors.InputError(
            "the recipe",
            expected="a name of letters and digits that is no folder of the project",
            received=name,
            advice="Rename the recipe: its results go into a folder of its name.",
        )
    if not path.is_file():
        raise errors.InputError(
            "the recipe",
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
    lines = (_without_comment(line).strip() for line in text.splitlines())
    return dict(split_line(line, str(path)) for line in lines if line)


def _without_comment(line: str) -> str:
    quoted = QUOTED.match(line)
    return quoted[0] if quoted else COMMENT.sub("", line)


def split_line(line: str, where: str) -> tuple[str, str]:
    """Returns key and value of a line `key=value`.

    Raises:
        InputError: it is none.
    """
    key, sign, value = (part.strip() for part in line.partition("="))
    if not (key and sign):
        raise errors.InputError(
            where,
            expected="lines of `key=value`",
            received=line,
            advice="Correct it: split.train=200.",
        )
    return key, value


def values(overrides: Sequence[str]) -> dict[str, Any]:
    """Returns overrides, `section.key=value`, by key, a later one over an earlier."""
    pairs = (line.split("=", 1) for line in overrides)
    return {key: value_of(key, value) for key, value in pairs}


def value_of(key: str, text: str) -> Any:
    """Returns the value of an override: what YAML reads, and a text as it stands.

    The keys of TEXTS have texts that YAML would take for something else, such as `[ab]`.
    """
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    if not is_quoted and (text.startswith("#") or (key in TEXTS and text != "null")):
        return text
    try:
        value = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return text
    return text if isinstance(value, str) and not is_quoted else value


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
