"""What the page says of the pictures as files: the tables of `split` in, sentences out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ladder.pictures import examination, manifests

EXAMPLES = 3  # of what looks odd, and of each reason to put a picture aside
REASONS = 10  # at most
NAMES = 5  # classes in a sentence
COMMON = 0.5  # of all pictures: what more of them share is no exception, and has no examples
FEW = 20  # test pictures of a class, whose recall then says little
UNEQUAL = 3  # times as many pictures as the smallest class has

ADJECTIVES = {"odd_aspect": "long and narrow"}  # else the finding's name
SAME = re.compile(r"the same (bytes|pixels) as .*", re.DOTALL)
OWN = re.compile(r"'[^']*'|\d[\d.,]*\d|\d")  # what a reason says of one picture: names, numbers


@dataclass(frozen=True)
class Examination:
    """The tables of `pictures.examination`, as `split` writes them."""

    pictures: pd.DataFrame
    findings: pd.DataFrame
    by_class: pd.DataFrame

    @property
    def usable(self) -> pd.DataFrame:
        """Returns the rows of the pictures that can be read."""
        return self.pictures[self.pictures["reason"].fillna("") == ""]


@dataclass(frozen=True)
class Finding:
    """What several pictures have in common, as a sentence with some of their names."""

    key: str
    sentence: str
    count: int
    paths: Sequence[str]  # none where most pictures have it in common


@dataclass(frozen=True)
class Reason:
    """Why pictures were put aside, how many, and some of them with what is said of each."""

    text: str
    count: int
    examples: Sequence[tuple[str, str]]  # path, and its own reason where it says more


def kinds(usable: pd.DataFrame) -> str:
    """Returns formats and sizes in a sentence."""
    formats = ", ".join(f"{name} {n:,}" for name, n in usable["format"].value_counts().items())
    sides = usable[["width", "height"]].drop_duplicates().to_numpy()
    areas = sides.prod(axis=1)
    small, large = (f"{w:,} × {h:,}" for w, h in sides[[areas.argmin(), areas.argmax()]])
    sizes = f"all of {small} pixels" if len(sides) == 1 else f"from {small} to {large} pixels"
    return f"{_pictures(len(usable))} can be read: {formats}; {sizes}."


def findings(table: pd.DataFrame, count: int) -> list[Finding]:
    """Returns what looks odd of `count` pictures that can be read, in order of the table."""
    return [
        Finding(
            str(key),
            _finding(str(key), rows, count),
            len(rows),
            [] if len(rows) > COMMON * count else most(str(key), rows)["path"].tolist()[:EXAMPLES],
        )
        for key, rows in table.groupby("finding", sort=False)
    ]


def _finding(key: str, rows: pd.DataFrame, count: int) -> str:
    number = f"{_pictures(len(rows))} {'is' if len(rows) == 1 else 'are'}"
    if len(rows) > COMMON * count:
        number = f"{len(rows):,} of {_pictures(count)} are"
        if len(rows) == count:
            number = f"All {number.partition(' of ')[2]}" if count > 1 else "The one picture is"
    details = rows["detail"].unique()
    limit = f" ({details[0]})" if len(details) == 1 else ""
    return f"{number} {ADJECTIVES.get(key, key.replace('_', ' '))}{limit}."


def most(key: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of one finding, those first that are it most."""
    sides = {threshold.finding: threshold.side for threshold in examination.THRESHOLDS}
    return rows.sort_values("value", ascending=sides.get(key) != "above", kind="stable")


def telling(by_class: pd.DataFrame) -> list[str]:
    """Returns a sentence per property that gives a class away."""
    rows = by_class[by_class["score"] >= examination.TELLING]
    return [
        f"{row['property'].replace('_', ' ').capitalize()} alone tells {row['class_name']} from "
        f"the rest (score {row['score']:.2f}, where 1 is always right): {row['detail']}."
        for row in rows.to_dict("records")
    ]


def put_aside(quarantine: pd.DataFrame) -> list[Reason]:
    """Returns why pictures are not used, the most frequent reason first."""
    if quarantine.empty:
        return []
    kinds = quarantine["reason"].map(_kind)
    grouped = {text: quarantine[kinds == text] for text in kinds.value_counts().index}
    return [_reason(text, rows) for text, rows in grouped.items()]


def _reason(text: str, rows: pd.DataFrame) -> Reason:
    reasons = rows["reason"].unique()
    examples = rows[["path", "reason"]].head(EXAMPLES)
    if len(reasons) == 1 and not SAME.fullmatch(reasons[0]):
        return Reason(reasons[0], len(rows), [(path, "") for path in examples["path"]])
    return Reason(text, len(rows), list(examples.itertuples(index=False, name=None)))


def _kind(reason: str) -> str:
    """Returns a reason without what it says of one picture alone."""
    if same := SAME.fullmatch(reason):
        return f"the same {same[1]} as a picture of another class"
    return OWN.sub("…", reason)


def unused(pictures: pd.DataFrame, manifest: pd.DataFrame, quarantine: pd.DataFrame) -> str:
    """Returns a sentence on the pictures that no subset takes though they can be read."""
    known = pd.concat([manifest["path"], quarantine["path"]])
    count = int((~pictures["path"].isin(known)).sum())
    if not count:
        return ""
    return f"{_pictures(count)} {'is' if count == 1 else 'are'} not used: `split` takes fewer."


def groups(manifest: pd.DataFrame, source: str) -> str:
    """Returns a sentence on the pictures that share a group with others."""
    sizes = manifest["duplicate_group"].value_counts()
    shared, in_two = sizes[sizes > 1], manifests.shared_groups(manifest)
    what = "near duplicates, or one value of split.group" if source == "folder" else "equal bytes"
    if shared.empty:
        return f"No two pictures share a group ({what})."
    number = f"{len(shared):,} group{'' if len(shared) == 1 else 's'}"
    where = f"{in_two:,} of them stand" if in_two > 1 else "One of them stands"
    if not in_two or len(shared) == 1:
        where = "It stands" if in_two else "No group stands"
    return f"{shared.sum():,} pictures are in {number} ({what}). {where} in two subsets."


def classes(manifest: pd.DataFrame) -> list[str]:
    """Returns a sentence each on classes that are small in test, and on unequal ones."""
    said = []
    names = manifests.class_names(manifest)
    in_test = manifest.loc[manifest["subset"] == "test", "class_name"].value_counts()
    small = in_test.reindex(names, fill_value=0)
    small = small[small < FEW].sort_values(kind="stable")
    if len(small):
        which = ", ".join(f"{name} ({n})" for name, n in small.head(NAMES).items())
        more = f" and {len(small) - NAMES:,} more" if len(small) > NAMES else ""
        said.append(
            f"Fewer than {FEW} test pictures: {which}{more}. What is said of such a class alone is "
            "uncertain."
        )
    sizes = manifest["class_name"].value_counts()
    if sizes.max() > UNEQUAL * sizes.min():
        said.append(
            f"The largest class, {sizes.idxmax()}, has {sizes.max():,} pictures, the smallest, "
            f"{sizes.idxmin()}, {sizes.min():,}. Accuracy counts pictures, so the largest decides "
            "it; balanced accuracy counts every class alike."
        )
    return said


def _pictures(count: int) -> str:
    return f"{count:,} picture{'' if count == 1 else 's'}"
