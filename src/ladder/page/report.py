"""A folder of reports: read, joined with the studies of its climb, printed as text."""

import sys
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ladder import artifacts, errors, paths, provenance, rungs, settings
from ladder.evidence import comparison, evaluation, prediction_tables, selection
from ladder.page import sentences


@dataclass(frozen=True)
class Studies:
    """The tables of studies that are of one climb; empty where there are none."""

    seeds: pd.DataFrame = field(default_factory=pd.DataFrame)  # `studies.values`
    seeds_summary: pd.DataFrame = field(default_factory=pd.DataFrame)
    seeds_steps: pd.DataFrame = field(default_factory=pd.DataFrame)
    learning_curve: pd.DataFrame = field(default_factory=pd.DataFrame)
    learning_curve_gains: pd.DataFrame = field(default_factory=pd.DataFrame)
    bases: pd.DataFrame = field(default_factory=pd.DataFrame)  # `base_comparison.compare`
    recipes: pd.DataFrame = field(default_factory=pd.DataFrame)  # `comparison.recipes`
    recipes_seeds: pd.DataFrame = field(default_factory=pd.DataFrame)  # `studies.differences`
    left_out: tuple[str, ...] = ()  # a sentence per study of another climb: which, and why


@dataclass(frozen=True)
class Reports:
    """What a climb wrote into its folder of reports, and the conclusions from it."""

    name: str
    source: str
    identity: provenance.Identity
    ladder: pd.DataFrame
    paired: pd.DataFrame
    book: pd.DataFrame
    calibration: pd.DataFrame
    duplicates: pd.DataFrame
    suspects: pd.DataFrame
    planted: pd.DataFrame
    predictions: Mapping[rungs.Rung, pd.DataFrame]
    runtimes: Mapping[str, Mapping[str, str]]  # of each rung
    studies: Studies
    classes: pd.DataFrame = field(default_factory=pd.DataFrame)  # these two are empty of climbs
    baseline: pd.DataFrame = field(default_factory=pd.DataFrame)  # whose evaluate wrote none

    @property
    def advice(self) -> str:
        """How far one must climb."""
        return sentences.advice(self._compared, self._margin_points)

    @property
    def advised(self) -> rungs.Rung:
        """The rung that the advice names."""
        return comparison.advised(self._compared)

    @cached_property
    def _compared(self) -> pd.DataFrame:
        margin = self._margin_points / 100
        return comparison.good_enough(self.predictions, self.ladder, margin)

    @property
    def _margin_points(self) -> float:
        points: float = self.identity.params["evaluation"]["margin_points"]
        return points

    @property
    def class_count(self) -> int:
        """The number of classes; validation or test may lack some of them."""
        return len(prediction_tables.probabilities(self.predictions["scratch"]).T)

    @property
    def says_little(self) -> bool:
        """Whether an accuracy alone says little: there are more than two classes, or unequal ones.

        Those of validation and of test are counted.
        """
        labels = self.predictions["scratch"].groupby("subset")["label"]
        counts = [np.bincount(each, minlength=self.class_count) for _, each in labels]
        return self.class_count > 2 or any(each.min() < each.max() for each in counts)

    @property
    def beside_accuracy(self) -> list[str]:
        """A line where an accuracy alone says little: the baseline, and balanced accuracy."""
        if not self.says_little:
            return []
        test = selection.of_test(self.predictions[self.advised])
        accuracy = evaluation.balanced_accuracy(test)
        return [sentences.beside_accuracy(self.baseline, self.advised, accuracy)]

    @property
    def of_bases(self) -> list[str]:
        """Which base to take; nothing where none were compared, and of a control."""
        if self.studies.bases.empty or self.control:
            return []
        return sentences.bases_advice(self.studies.bases, self._margin_points)

    @property
    def control(self) -> list[str]:
        """Returns the conclusions on shuffled labels; none where labels are true."""
        if not self.identity.params["split"]["shuffle_train_labels"]:
            return []
        seeds = self.studies.seeds_summary
        tests = seeds[seeds["subset"] == "test"] if len(seeds) else seeds
        return sentences.control(tests, self.class_count)


# The tables of each study. Its identity is `<study>.json` in the same folder.
TABLES = {
    "seeds": ("seeds", "seeds_summary", "seeds_steps"),
    "learning_curve": ("learning_curve", "learning_curve_gains"),
    "bases": ("bases",),
    "recipes": ("recipes",),
    "recipes_seeds": ("recipes_seeds",),
}
# The rungs that a study has, where it has not got all.
RUNGS_OF: dict[str, tuple[rungs.Rung, ...]] = {
    "learning_curve": rungs.ON_A_BASE,
    "bases": ("features",),
}


def studies_of(folder: Path, ladder: pd.DataFrame) -> Studies:
    """Returns the studies of the climb in `folder`; those of another are named with the reason.

    A recipe's lie below the default climb's `studies`, and `folder` is either's. One seed alone is
    no study. Seeds are on the subset that the book measured a rung on, where the pictures are its;
    else on test.
    """
    of_default = folder / "studies"  # last, as a recipe may be like the default
    places = [*sorted(of_default.glob("*/")), of_default, folder.parent / "studies" / folder.name]
    own = (of_default, places[-1])
    identity = provenance.read(folder / "climb.json")
    tables: dict[str, Any] = {}
    reasons: list[str] = []
    for place in dict.fromkeys(places):  # of the folder `.` two are the same
        for study in TABLES:
            if not (place / f"{study}.json").is_file():
                continue
            differences = _differences(study, identity, provenance.read(place / f"{study}.json"))
            if not differences:
                tables |= {name: pd.read_csv(place / f"{name}.csv") for name in TABLES[study]}
            elif place in own:
                reasons.append(f"{place / study} is of another climb: {'; '.join(differences)}.")
    if "seeds" in tables and tables["seeds"]["seed"].nunique() < 2:
        tables = {name: table for name, table in tables.items() if name not in TABLES["seeds"]}
    return _on_measured_subsets(replace(Studies(), **tables, left_out=tuple(reasons)), ladder)


def _differences(study: str, climb: provenance.Identity, other: provenance.Identity) -> list[str]:
    """Returns why a study is not of a climb.

    A learning curve is of all the train pictures. How rungs are trained that a study has not got
    makes no difference.
    """
    if study == "learning_curve":
        split = climb.params["split"] | {"train_used_per_class": None}
        climb = replace(climb, params={**climb.params, "split": split})
    others = {*rungs.RUNGS} - {*RUNGS_OF.get(study, rungs.RUNGS)}
    return provenance.differences(climb, other, {rungs.TABLE[rung].stage for rung in others})


def _on_measured_subsets(studies: Studies, ladder: pd.DataFrame) -> Studies:
    if studies.seeds.empty:
        return studies
    measured = ladder.dropna(subset="book")
    subsets = dict.fromkeys(rungs.RUNGS, "test") | dict(
        zip(measured["rung"], measured["book_subset"], strict=True)
    )

    def measured_rows(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["subset"] == table["rung"].map(subsets)]

    return replace(
        studies,
        seeds=measured_rows(studies.seeds),
        seeds_summary=measured_rows(studies.seeds_summary),
    )


def read(folder: Path) -> Reports:
    """Returns what lies in a folder of reports.

    Raises:
        InputError: there is no climb in it.
    """
    if not (folder / "climb.json").is_file():
        climbed = sorted(file.parent.name for file in folder.parent.glob("*/climb.json"))
        raise errors.InputError(
            str(folder),
            expected="the reports of a climb" + (f": {', '.join(climbed)}" if climbed else ""),
            received="none",
            advice=errors.climb_first(),
        )
    tables = ("ladder", "paired", "book", "calibration", "duplicates", "suspects", "planted")
    frames = {name: artifacts.read_csv(folder / f"{name}.csv") for name in tables}
    for name in ("classes", "baseline"):  # older reports have none
        if (folder / f"{name}.csv").is_file():
            frames[name] = artifacts.read_csv(folder / f"{name}.csv")
    identity = provenance.read(folder / "climb.json")
    return Reports(
        name=identity.params["dataset"]["name"],
        source=identity.params["dataset"]["source"],
        identity=identity,
        predictions=predictions(folder),
        runtimes=artifacts.read_json(folder / "runtime.json"),
        studies=studies_of(folder, frames["ladder"]),
        **frames,
    )


def predictions(folder: Path) -> dict[rungs.Rung, pd.DataFrame]:
    """Returns the predictions in a folder of reports."""
    return {rung: artifacts.read_csv(folder / f"predictions/{rung}.csv") for rung in rungs.RUNGS}


def text(folder: Path) -> str:
    """Returns the ladder of a folder of reports, with the sentences that its tables allow."""
    reports = read(folder)
    studies, control = reports.studies, reports.control
    paragraphs = [
        [sentences.table(reports.ladder)],
        control or [*sentences.steps(reports.paired), *reports.beside_accuracy, reports.advice],
        sentences.against_book(reports.book),
        sentences.seeds(studies.seeds_summary) if not control else [],
        sentences.seeds_steps(studies.seeds_steps) if not control else [],
        sentences.gains(studies.learning_curve_gains),
        reports.of_bases,
        sentences.recipes(studies.recipes),
        sentences.recipes_seeds(studies.recipes_seeds),
        list(studies.left_out),
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def after_corrections(before: Reports, after: Reports) -> list[str]:
    """Returns what other corrections of labels changed, in lines."""
    tests = [len(selection.of_test(each.predictions["scratch"])) for each in (before, after)]
    accuracies = [each.ladder.set_index("rung")["test_accuracy"] for each in (before, after)]
    return [
        "",
        f"Test accuracy before and with these corrections, on {tests[0]:,} and {tests[1]:,} "
        "pictures:",
        *(
            f"{rung:<20}{100 * accuracies[0][rung]:>6.1f} → {100 * accuracies[1][rung]:.1f}"
            for rung in rungs.RUNGS
        ),
        "The networks were trained again, so a part of each difference is chance.",
    ]


def show(dataset: str, *, open_page: bool) -> None:
    """Prints the ladder of a dataset or a folder of reports, by default params.yaml's dataset.

    With `open_page`, at a terminal, its page is opened in the browser.

    Raises:
        InputError: there is none yet.
    """
    name = dataset or settings.read(settings.PARAMS).dataset.name
    folder = Path(name) if Path(name).parent.name else paths.DatasetPaths(name).reports
    print(text(folder))
    page = folder / "ladder.html"
    if page.exists():
        print(f"\n{page}")
        if open_page and sys.stdout.isatty():
            webbrowser.open(page.resolve().as_uri())
