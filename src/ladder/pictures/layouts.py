"""Which class each of a person's pictures is of, by the layout of their folder or archive."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ladder import errors, paths
from ladder.pictures import archives, contents, label_tables, originals
from ladder.pictures.contents import (
    SHOWN,
    Claim,
    Entry,
    Level,
    class_name,
    has_pictures,
    listed,
    subset_of,
    summary,
)

KAGGLE = re.compile(archives.KAGGLE.pattern, re.IGNORECASE)  # of a name without its ending
ADVICE = (
    "Put the pictures of each class into a folder of its own, such as oak/holiday.jpg, or give a "
    "metadata.csv with the columns file_name and label."
)
BESIDE = "beside the class folders"
NAMELESS = "its name says no class, as cat.0.jpg does"


@dataclass(frozen=True)
class Layout:
    """A person's pictures and their classes."""

    pictures: pd.DataFrame  # path, class_name, subset ("" where it is to be chosen); by path
    passed_over: pd.DataFrame  # path, reason; the paths of folders end in a slash; by path
    files: list[str]  # what this layout rests on: the pictures and the tables, in order
    sentence: str  # which layout it is


def recognise(
    pictures: originals.Originals, where: str, problems: Iterable[tuple[str, str]] = ()
) -> Layout:
    """Returns the layout of a person's pictures, which `where` names; nothing is decoded.

    `problems` are those of `folders.listing`. A picture is a file whose name promises one that is
    read, or whose first bytes are those of one.

    Raises:
        InputError: fewer than two classes, a class without a picture or without a subset that
            others have, class names that are easily mixed up, or a table that cannot be read.
    """
    entries = list(contents.entries(pictures))
    entries += [contents.problem(*problem) for problem in (*pictures.problems, *problems)]
    levels = [contents.level(entries, ())]
    while len(levels[-1].inner) == 1 and not has_pictures(levels[-1].direct):
        levels.append(levels[-1].below(*levels[-1].inner))
    recognised = _Recognition(where, entries, pictures)
    for level in levels:
        if layout := recognised.by_tables(level):
            return layout
    return recognised.by_folders(levels[-1])


def _alike(name: str) -> paths.Subset | None:
    """Returns the subset that a folder's name tells, also with a number: Kaggle's test1."""
    return subset_of(re.sub(r"[\s_-]*\d+$", "", name))


class _Recognition:
    """The layouts that are known, tried on one folder or archive."""

    def __init__(self, where: str, entries: Sequence[Entry], pictures: originals.Originals):
        self.where, self.entries, self.pictures = where, entries, pictures
        self.tables_passed_over: dict[str, str] = {}  # with reasons

    def error(self, expected: str, received: str, advice: str = ADVICE) -> errors.InputError:
        return errors.InputError(self.where, expected=expected, received=received, advice=advice)

    def by_tables(self, level: Level) -> Layout | None:
        """Returns the layout that tables in this folder tell, or None if there are none."""
        folder_classes = _of_folders(level)
        tables, others = label_tables.find(self.pictures, level, bool(folder_classes))
        self.tables_passed_over |= others
        places = {table.parts[:-1] for table in tables}
        if len(places) < len(tables) or (len(places) > 1 and level.folder in places):
            raise self.error(
                "one table of labels in a folder",
                " and ".join(table.name for table in tables),
                "Make them one; a column `split` may say train, validation or test.",
            )
        if not tables:
            return None
        claims, unlabelled, moved = label_tables.claims(self.pictures, tables, self.entries)
        names = [table.name for table in tables]
        table, verb = (names[0], "says") if len(names) == 1 else ("a table", "say")
        sentence = f"{listed(names)} {verb} the class of each picture."
        if moved:
            sentence += f" Absolute paths in {listed(moved)} are taken as paths in its folder."
        sentence += _contradiction(claims, folder_classes, table)
        return self.layout(claims, f"no row in {table}", sentence, names, unlabelled)

    def by_folders(self, level: Level) -> Layout:
        """Returns the layout that the folders in this one tell, or the names of its files."""
        bearing = level.bearing
        train = next((name for name in bearing if subset_of(name) == "train"), None)
        if train is None:
            if len(bearing) > 1 and all(map(subset_of, bearing)):
                raise self.error("a folder train beside the other subsets", listed(bearing))
        elif not level.inside(train).bearing:
            if all(map(_alike, bearing)):
                return self.by_names_in_subsets(level, train)
        elif all(map(subset_of, bearing)):
            return self.by_subset(level)
        elif len(level.inside(train).bearing) > 1:
            others = [name for name in bearing if subset_of(name) is None]
            raise self.error(
                f"train, validation and test alone, since {train} holds folders",
                f"{listed(others)} beside them",
                f"Take {listed(others)} out; or, if {train} is a class, rename its folder.",
            )
        if len(level.inner) > 1 and (bearing or not has_pictures(level.direct)):
            return self.by_class(level)
        classes = {} if bearing else _kaggle(level.direct)
        if not classes:
            raise self.too_few(level)
        return self.by_names([Claim(entry, name, "") for entry, name in classes.items()])

    def by_class(self, level: Level) -> Layout:
        self.check_folders(level)
        same = self.same_inside(level)
        claims = [
            Claim(entry, name, "")
            for folder, inside in level.inner.items()
            for name in (class_name(folder),)
            for entry in inside
        ]
        place = f" in {'/'.join(level.folder)}" if level.folder else ""
        is_deep = any(len(claim.entry.parts) > len(level.folder) + 2 for claim in claims)
        deep = "; deeper folders only group" if is_deep else ""
        sentence = f"The folders{place} are the classes{deep}."
        return self.layout(claims, BESIDE, sentence + same + _disagreement(claims))

    def by_subset(self, level: Level) -> Layout:
        claims = []
        folder_of: dict[str, str] = {}
        place_of: dict[str, str] = {}
        for folder in level.inner:
            subset = subset_of(folder)
            if subset is None:
                continue
            if subset in folder_of:
                raise self.error(
                    "one folder for each subset",
                    f"{folder_of[subset]} and {folder}",
                    "Make them one.",
                )
            folder_of[subset] = folder
            below = level.inside(folder)
            place_of[subset] = "/".join(below.folder[len(level.folder) :])
            if not below.bearing:
                raise self.error(
                    f"folders of classes with pictures in {folder}, as train has",
                    summary(level.inner[folder]),
                    f"Sort its pictures into folders of classes, or take {folder} out.",
                )
            self.check_folders(below)
            claims += [
                Claim(entry, name, subset)
                for class_folder, inside in below.inner.items()
                for name in (class_name(class_folder),)
                for entry in inside
            ]
        names = listed([place_of[subset] for subset in paths.SUBSETS if subset in place_of])
        sentence = f"The folders in {names} are the classes"
        sentence += ", and this division is kept." if len(folder_of) > 1 else "."
        return self.layout(claims, BESIDE, sentence + _disagreement(claims))

    def by_names_in_subsets(self, level: Level, train: str) -> Layout:
        """Takes Kaggle's folders train and test1, where names tell the classes, if they do."""
        bearing = level.bearing
        classes = set(_kaggle(bearing[train]).values())
        if not classes:
            if len(bearing) == 1:
                raise self.too_few(level)
            raise self.error(
                f"folders of classes in {train}",
                "; ".join(f"{name}: {summary(inside)}" for name, inside in bearing.items()),
            )
        claims = []
        for folder, inside in bearing.items():
            subset = _alike(folder) or ""
            claims += [
                Claim(entry, name, subset)
                for entry in inside
                if entry.is_picture and (name := _class_in_name(entry)) in classes
            ]
        return self.by_names(claims)

    def by_names(self, claims: Sequence[Claim]) -> Layout:
        example = posixpath.basename(claims[0].entry.name)
        return self.layout(claims, NAMELESS, f"Names such as {example} say the classes.")

    def check_folders(self, level: Level) -> None:
        """Stops at two folders whose names differ only in case, accents' bytes or spaces."""
        seen: dict[str, str] = {}
        for folder in level.inner:
            name = class_name(folder)
            path = "/".join((*level.folder, folder))
            if not name:
                raise self.error(
                    "folders that are called as their classes",
                    f"the name {path!r}",
                    "Give the folder a name.",
                )
            twin = seen.setdefault(name.casefold(), path)
            if twin != path:
                alike = class_name(twin) == class_name(path)  # they would look the same here
                pair = " and ".join(map(ascii, (twin, path)) if alike else (twin, path))
                raise self.twins(pair)

    def same_inside(self, level: Level) -> str:
        """Returns a sentence if all class folders hold folders of the same names.

        Raises:
            InputError: these are the names of subsets.
        """
        usable = [e for inside in level.inner.values() for e in inside if not e.reason]
        read = contents.level(usable, level.folder)  # a copy, which has no others, is judged alike
        bearing = list(read.bearing)
        names = [{class_name(name) for name in read.inside(folder).bearing} for folder in bearing]
        common = set.intersection(*names) if len(names) > 1 else set()
        if len(common) < 2:
            return ""
        if all(map(subset_of, common)):
            example = "/".join((sorted(common)[0], bearing[0]))
            raise self.error(
                "subsets that hold the classes",
                f"{listed(common)} in each of {listed(bearing)}",
                f"Put the classes into the subsets, as {example}; or name these folders anew.",
            )
        example = "/".join((*level.folder, bearing[0]))
        return (
            f" Each of them holds {listed(common)}: if those are the classes, give one of these "
            f"folders as PICTURES, such as {example}, or name them train, validation and test."
        )

    def twins(self, pair: str) -> errors.InputError:
        return self.error(
            "class names that differ in more than capitals, spaces or how accents are stored",
            pair,
            "Make them one class, or give one another name.",
        )

    def too_few(self, level: Level) -> errors.InputError:
        place = f"in {'/'.join(level.folder)}: " if level.folder else ""
        pieces = [f"the folder {name} ({summary(e)})" for name, e in level.inner.items()]
        direct = [entry for entry in level.direct if entry.is_picture] or level.direct
        if has_pictures(direct):
            pieces.append(summary(direct) + (" beside it" if pieces else ", no folders"))
        elif not pieces and direct:
            pieces.append(summary(direct))
        received = place + (" and ".join(pieces) or "an empty folder")
        for name, reason in [*self.tables_passed_over.items()][:SHOWN]:
            received += f"; {name}: {reason}"
        packed = [e.name for e in self.entries if contents.suffix(e.name) in contents.ARCHIVES]
        if packed and not any(not entry.reason for entry in self.entries):
            return self.error("at least two classes", received, f"Unpack {listed(packed)} first.")
        inside = [name for name in level.bearing if len(level.below(name).bearing) > 1]
        advice = f"If the classes are in {inside[0]}, give that folder. " if inside else ""
        return self.error("at least two classes", received, advice + ADVICE)

    def layout(
        self,
        claims: Sequence[Claim],
        unclaimed: str,
        sentence: str,
        tables: Sequence[str] = (),
        unlabelled: Sequence[tuple[str, str]] = (),
    ) -> Layout:
        """Returns the layout of what is claimed for classes; `unclaimed` says why the rest is not.

        Raises:
            InputError: see `recognise`.
        """
        usable = [claim for claim in claims if not claim.entry.reason]
        self.check_classes(claims, usable)
        subsets = {claim.subset for claim in usable} - {""}
        if subsets <= {"train"}:  # no division
            subsets = set()
        self.check_subsets(claims, usable, subsets)
        rows = sorted(
            (claim.entry.name, claim.class_name, claim.subset if subsets else "")
            for claim in usable
        )
        told = (
            {claim.entry.name for claim in claims} | {path for path, _ in unlabelled} | set(tables)
        )
        passed_over = [*unlabelled]
        passed_over += [(c.entry.name, c.entry.reason) for c in claims if c.entry.reason]
        passed_over += [
            (
                entry.name,
                self.tables_passed_over.get(entry.name) or entry.reason or unclaimed,
            )
            for entry in self.entries
            if entry.name not in told
        ]
        return Layout(
            pd.DataFrame(rows, columns=["path", "class_name", "subset"], dtype=str),
            pd.DataFrame(sorted(set(passed_over)), columns=["path", "reason"], dtype=str),
            sorted([*(path for path, *_ in rows), *tables]),
            sentence,
        )

    def check_classes(self, claims: Sequence[Claim], usable: Sequence[Claim]) -> None:
        names = sorted({claim.class_name for claim in claims})
        seen: dict[str, str] = {}
        for name in names:
            if (twin := seen.setdefault(name.casefold(), name)) != name:
                examples = {claim.class_name: claim.entry.name for claim in reversed(claims)}
                raise self.twins(
                    " and ".join(f"{alike} ({examples[alike]})" for alike in (twin, name))
                )
        barren = sorted(set(names) - {claim.class_name for claim in usable})
        if barren:
            found_in = defaultdict(list)
            for claim in claims:
                found_in[claim.class_name].append(claim.entry)
            absent = [entry for name in barren for entry in found_in[name] if not entry.parts]
            found = [f"{name}: {_found(found_in[name])}" for name in barren[:SHOWN]]
            more = f"; and {len(barren) - SHOWN} more" if len(barren) > SHOWN else ""
            raise self.error(
                "pictures that are read in every class",
                "; ".join(found) + more,
                self.advice_on_paths(absent[0])
                if absent
                else "Add pictures as JPEG or PNG, or take the class out.",
            )
        if len(names) < 2:
            raise self.error(
                "at least two classes",
                f"{listed(names) or 'no class'} ({contents.count(len(usable), 'picture')})",
            )

    def advice_on_paths(self, row: Entry) -> str:
        """Returns what to do about the path of a row that leads to no file."""
        name = posixpath.basename(row.name.replace("\\", "/"))
        pictures = [entry for entry in self.entries if entry.is_picture]
        there = [entry.name for entry in pictures if entry.parts[-1] == name] or [
            entry.name for entry in pictures if posixpath.splitext(entry.parts[-1])[0] == name
        ]
        hint = f"; there is {there[0]}" if len(there) == 1 else ""
        return (
            f"Correct the paths: paths are relative to the table, with folders and endings{hint}. "
            "Or take the rows out."
        )

    def check_subsets(
        self, claims: Sequence[Claim], usable: Sequence[Claim], subsets: set[str]
    ) -> None:
        """Stops at a class that lacks a subset, if there is nothing to fill it from."""
        ways = defaultdict(set)
        for claim in usable:
            ways[claim.class_name].add(claim.subset)
        for name, present in sorted(ways.items()):
            lacking = [s for s in paths.SUBSETS if s in subsets and s not in present]
            if lacking and "" not in present:
                found = [c.entry for c in claims if (c.class_name, c.subset) == (name, lacking[0])]
                detail = f" ({summary(found)})" if found else ""
                every = listed([s for s in paths.SUBSETS if s in subsets])
                raise self.error(
                    f"pictures of every class in {every}",
                    f"{name} has none in {listed(lacking)}{detail}",
                    "Add pictures, or take the class out of every subset.",
                )


def _kaggle(entries: Iterable[Entry]) -> dict[Entry, str]:
    """Returns the class of each picture whose name tells it, if most do and tell two classes."""
    pictures = [entry for entry in entries if entry.is_picture]
    classes = {entry: name for entry in pictures if (name := _class_in_name(entry))}
    most = 2 * len(classes) > len(pictures)
    return classes if most and len(set(classes.values())) > 1 else {}


def _class_in_name(entry: Entry) -> str:
    match = KAGGLE.fullmatch(posixpath.splitext(entry.parts[-1])[0])
    return class_name(match["class_name"]) if match else ""


def _found(entries: Sequence[Entry]) -> str:
    """Returns in words what there is for a class, of the rows without a file one with its path."""
    absent = [entry for entry in entries if not entry.parts]
    rest = [entry for entry in entries if entry.parts]
    more = f" and {contents.count(len(absent) - 1, 'more row')}" if len(absent) > 1 else ""
    pieces = [f"{entry.reason} ({entry.name}){more}" for entry in absent[:1]]
    return ", ".join(pieces + [summary(rest)] * bool(rest))


def _of_folders(level: Level) -> dict[Entry, str]:
    """Returns the class that folders tell of each picture, empty where there are no such folders.

    They are two or more folders with pictures, here or in folders of subsets.
    """
    bearing = level.bearing
    subsets = [level.inside(folder) for folder in bearing]
    places = subsets if all(map(_alike, bearing)) else [level]
    return {
        entry: class_name(folder)
        for place in places
        if len(place.bearing) > 1
        for folder, inside in place.bearing.items()
        for entry in inside
    }


def _contradiction(claims: Sequence[Claim], folders: Mapping[Entry, str], table: str) -> str:
    """Returns a sentence if folders tell other classes than the table, with an example."""
    for claim in claims:
        name = folders.get(claim.entry, claim.class_name)
        if name.casefold() != claim.class_name.casefold():
            return (
                f" The folders would say other classes ({listed(set(folders.values()))}): "
                f"{claim.entry.name} is {claim.class_name} in {table}, and the table counts."
            )
    return ""


def _disagreement(claims: Sequence[Claim]) -> str:
    """Returns a sentence if names of files tell classes, and others than their folders."""
    usable = [claim for claim in claims if not claim.entry.reason]
    classes = _kaggle(claim.entry for claim in usable)
    for claim in usable:
        name = classes.get(claim.entry, claim.class_name)
        if name.casefold() != claim.class_name.casefold():
            example = posixpath.basename(claim.entry.name)
            others = listed(set(classes.values()))
            return (
                f" Names such as {example} would say other classes ({others}): {example} lies in "
                f"{claim.class_name}, and the folders count."
            )
    return ""
