import dataclasses
import re
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ladder import artifacts, errors, provenance, rungs
from ladder.page import report, sentences

ACCURACY = dict(zip(rungs.RUNGS, (0.7, 0.81, 0.975, 0.95, 0.97), strict=True))
ADVICE = "features is best on test, and it is the cheapest: 30 s."
OF_SEEDS = {"seeds", "seeds_summary", "seeds_steps"}
OF_CURVE = {"learning_curve", "learning_curve_gains"}
IDENTITY = provenance.Identity(
    params={
        "seed": 0,
        "dataset": {"name": "oaks", "source": "folder"},
        "split": {
            "test": 2,
            "train_used_per_class": None,
            "shuffle_train_labels": False,
            "corrections": None,
        },
        "evaluation": {"margin_points": 2.0},
    },
    fingerprint="abc",
    policy="float32",
    tensorflow="2.21.0",
    keras="3.15.1",
)
OTHER_CODE = dataclasses.replace(IDENTITY, fingerprint="def")


def with_split(**changes: Any) -> provenance.Identity:
    split = {**IDENTITY.params["split"], **changes}
    return dataclasses.replace(IDENTITY, params={**IDENTITY.params, "split": split})


def ladder(book: bool) -> pd.DataFrame:
    """Returns a ladder; the book has a figure of its first and of its last rung, or of none."""
    frame = pd.DataFrame({"rung": rungs.RUNGS})
    first, last = frame["rung"] == "scratch", frame["rung"] == "fine_tuned"
    frame["book"] = pd.Series(0.71).reindex(frame.index).where(first & book)
    frame.loc[last & book, "book"] = 0.97
    frame["book_subset"] = pd.Series(["validation", "", "", "", "test"]).where(
        frame["book"].notna()
    )
    for subset in ("validation", "test"):
        frame[f"{subset}_accuracy"] = list(ACCURACY.values())
        frame[f"{subset}_ci_low"] = frame[f"{subset}_accuracy"] - 0.02
        frame[f"{subset}_ci_high"] = frame[f"{subset}_accuracy"] + 0.02
    return frame.assign(seconds=10.0, seconds_alone=[60.0, 1200.0, 30.0, 70.0, 120.0])


def paired() -> pd.DataFrame:
    """Returns comparisons in which every rung is worse than `features`, the cheapest."""
    against = [("best", rung, "features") for rung in rungs.RUNGS if rung != "features"]
    frame = pd.DataFrame([("neighbours", "scratch_augmented", "scratch"), *against])
    frame.columns = pd.Index(["family", "rung", "other"])
    return frame.assign(
        pictures=1000,
        rung_right_alone=10,
        other_right_alone=60,
        difference=-0.05,
        ci_low=-0.066,
        ci_high=-0.034,
        p_value_holm=0.0001,
        distinguishable=True,
    )


def predictions(rung: rungs.Rung) -> pd.DataFrame:
    """Returns 1,000 answers: `features` alone is right on 60 pictures, any other rung on 10."""
    ids = np.arange(1000)
    wrong = ids < 10 if rung == "features" else (ids >= 10) & (ids < 70)
    frame = pd.DataFrame({"id": ids, "label": ids % 2})
    frame["probability"] = np.where(frame["label"] ^ wrong, 0.9, 0.1)
    return frame.assign(subset="test")


def write_reports(
    folder: Path, identity: provenance.Identity = IDENTITY, book: bool = False
) -> None:
    """Writes what evaluate leaves in a folder of reports."""
    none = pd.DataFrame(columns=["id"])
    tables = {"ladder": ladder(book), "paired": paired(), "calibration": none, "planted": none}
    tables |= {"duplicates": none, "suspects": none}
    columns = ["rung", "book", "subset", "notebook", "accuracy", "ci_low", "ci_high", "verdict"]
    figures = [("scratch", 0.71, "validation", "5.2", 0.7, 0.68, 0.72, "inside")] if book else []
    tables["book"] = pd.DataFrame(figures, columns=columns)
    for name, table in tables.items():
        artifacts.write_csv(folder / f"{name}.csv", table)
    for rung in rungs.RUNGS:
        artifacts.write_csv(folder / f"predictions/{rung}.csv", predictions(rung))
    artifacts.write_json(folder / "runtime.json", {"scratch": {"policy": "float32"}})
    provenance.write(folder / "climb.json", identity, pictures="a hash")


def write_seeds(
    studies: Path, identity: provenance.Identity = IDENTITY, seeds: int = 5, mean: float = 0.5
) -> None:
    """Writes a study of seeds, on validation and on test."""
    rows = [(rung, subset) for rung in rungs.RUNGS for subset in ("validation", "test")]
    every = [(*row, seed, mean) for row in rows for seed in range(seeds)]
    summary = [(*row, seeds, mean, 0.01, mean - 0.1, mean + 0.1) for row in rows]
    steps = [("features", "scratch", seeds, 0.1, 0.08, 0.12)]
    columns = {
        "seeds": ["rung", "subset", "seed", "accuracy"],
        "seeds_summary": [
            *("rung", "subset", "seeds", "mean", "standard_deviation", "ci_low", "ci_high")
        ],
        "seeds_steps": ["rung", "other", "seeds", "difference", "ci_low", "ci_high"],
    }
    tables: list[list[Any]] = [every, summary, steps]
    for (name, names), table in zip(columns.items(), tables, strict=True):
        artifacts.write_csv(studies / f"{name}.csv", pd.DataFrame(table, columns=names))
    provenance.write(studies / "seeds.json", identity)


def bases() -> pd.DataFrame:
    """Returns a comparison of two bases, of which the second is faster and 1 picture worse."""
    row = {"image_size": 224, "pictures": 1000, "ci_low": 0.0, "ci_high": 0.0}
    rows = [
        {**row, "base": "vgg16", "pictures_per_second": 9.5, "right_alone": 0}
        | {"best_right_alone": 0, "difference": 0.0},
        {**row, "base": "mobilenet", "pictures_per_second": 90.0, "right_alone": 4}
        | {"best_right_alone": 5, "difference": -0.001, "ci_low": -0.007, "ci_high": 0.005},
    ]
    return pd.DataFrame(rows)


def write_studies(studies: Path, identity: provenance.Identity = IDENTITY) -> None:
    """Writes every study, climbed as `identity` says."""
    write_seeds(studies, identity)
    curve = pd.DataFrame([("features", 8, 0.9)], columns=["rung", "train_pictures", "mean"])
    gains = {"rung": "features", "from_pictures": 4, "to_pictures": 8, "gain": 0.02}
    gains |= {"ci_low": 0.01, "ci_high": 0.03}
    recipe = {"recipe": "end_to_end", "rung": "fine_tuned", "accuracy": 0.95, "p_value_holm": 0.2}
    recipe |= {"compared_with": "default", "other_accuracy": 0.97}
    recipe |= {"recipe_right_alone": 7, "other_right_alone": 27}
    over_seeds = {"recipe": "float32", "rung": "features", "seeds": 3, "default_mean": 0.9621}
    over_seeds |= {"default_standard_deviation": 0.0031, "mean": 0.9702, "difference": 0.0081}
    over_seeds |= {"standard_deviation": 0.0049, "ci_low": -0.0038, "ci_high": 0.0199}
    artifacts.write_csv(studies / "learning_curve.csv", curve)
    artifacts.write_csv(studies / "learning_curve_gains.csv", pd.DataFrame([gains]))
    artifacts.write_csv(studies / "bases.csv", bases())
    artifacts.write_csv(studies / "recipes.csv", pd.DataFrame([recipe]))
    artifacts.write_csv(studies / "recipes_seeds.csv", pd.DataFrame([over_seeds]))
    for study in ("learning_curve", "bases", "recipes", "recipes_seeds"):
        provenance.write(studies / f"{study}.json", identity)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A climb's reports on the book's pictures, with every study of that climb."""
    folder = tmp_path / "reports/cifar10"
    write_reports(folder, book=True)
    write_studies(folder / "studies")
    return folder


def names_of(studies: report.Studies) -> set[str]:
    """Returns which tables have rows."""
    tables = [field.name for field in dataclasses.fields(studies) if field.name != "left_out"]
    return {name for name in tables if len(getattr(studies, name))}


def test_every_table_of_a_climbs_studies_is_read(reports: Path) -> None:
    studies = report.studies_of(reports, ladder(book=True))
    assert names_of(studies) == {name for tables in report.TABLES.values() for name in tables}
    assert studies.left_out == ()


def test_a_climb_without_studies_has_none(tmp_path: Path) -> None:
    write_reports(tmp_path)
    studies = report.studies_of(tmp_path, ladder(book=False))
    assert (names_of(studies), studies.left_out) == (set(), ())


def test_seeds_are_shown_on_the_subset_of_the_books_figures(reports: Path) -> None:
    for name in ("seeds", "seeds_summary"):
        table = getattr(report.studies_of(reports, ladder(book=True)), name)
        subsets = dict(zip(table["rung"], table["subset"], strict=True))
        assert subsets == dict.fromkeys(rungs.RUNGS, "test") | {"scratch": "validation"}
        other = getattr(report.studies_of(reports, ladder(book=False)), name)
        assert set(other["subset"]) == {"test"}


SAYS = {
    "seeds": "5 seeds; 95 %",
    "seeds_steps": "features over scratch: +10.0 points (+8.0 to +12.0)",
    "learning_curve": "features: 4 → 8 train pictures",
    "bases": "Take mobilenet at 224 pixels, the fastest that is surely less than 2 points worse",
    "recipes": "end_to_end, fine_tuned: 95.0 %",
    "recipes_seeds": "float32, features: 97.0 ± 0.5 %",
}


def test_what_is_of_another_climb_is_named_with_its_reason_and_not_shown(reports: Path) -> None:
    text = report.text(reports)
    assert all(sentence in text for sentence in SAYS.values())
    assert "of another climb" not in text
    write_studies(reports / "studies", OTHER_CODE)
    studies = report.studies_of(reports, ladder(book=True))
    assert names_of(studies) == set()
    assert studies.left_out == tuple(
        f"{reports / 'studies' / study} is of another climb: fingerprint: abc, def."
        for study in ("seeds", "learning_curve", "bases", "recipes", "recipes_seeds")
    )
    text = report.text(reports)
    assert not any(sentence in text for sentence in SAYS.values())
    assert text.endswith("\n".join(studies.left_out))


def test_one_study_of_another_climb_leaves_the_others(reports: Path) -> None:
    precise = dataclasses.replace(with_split(test=3), policy="mixed_bfloat16")
    write_seeds(reports / "studies", precise)
    studies = report.studies_of(reports, ladder(book=True))
    assert names_of(studies) == OF_CURVE | {"bases", "recipes", "recipes_seeds"}
    (reason,) = studies.left_out
    assert reason.endswith(
        "seeds is of another climb: policy: float32, mixed_bfloat16; split.test: 2, 3."
    )


def test_a_reason_is_named_once_in_the_working_directory_too(at_root: Path) -> None:
    write_reports(Path())
    write_seeds(Path("studies"), OTHER_CODE)
    studies = report.studies_of(Path(), ladder(book=False))
    assert studies.left_out == ("studies/seeds is of another climb: fingerprint: abc, def.",)


def test_another_seed_or_margin_is_the_same_climb(reports: Path) -> None:
    params = {**IDENTITY.params, "seed": 7, "evaluation": {"margin_points": 1.0}}
    write_studies(reports / "studies", dataclasses.replace(IDENTITY, params=params))
    assert report.studies_of(reports, ladder(book=True)).left_out == ()


def test_a_learning_curve_belongs_to_a_climb_on_any_number_of_its_pictures(reports: Path) -> None:
    provenance.write(reports / "climb.json", with_split(train_used_per_class=1))
    studies = report.studies_of(reports, ladder(book=True))
    assert names_of(studies) == OF_CURVE
    assert len(studies.left_out) == 4
    assert all("split.train_used_per_class: 1, None." in reason for reason in studies.left_out)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("train_scratch_augmented", OF_CURVE | {"bases"}),
        ("fine_tune", {"bases"}),
        ("train_head", set[str]()),
    ],
)
def test_how_other_rungs_are_trained_makes_no_difference_to_a_study(
    reports: Path, section: str, expected: set[str]
) -> None:
    params = {**IDENTITY.params, section: {"epochs": 99}}
    provenance.write(reports / "climb.json", dataclasses.replace(IDENTITY, params=params))
    studies = report.studies_of(reports, ladder(book=True))
    assert names_of(studies) == expected
    assert all(f"{section}.epochs" in reason for reason in studies.left_out)


def test_which_base_to_take_follows_from_the_margin_of_the_climbs_params(reports: Path) -> None:
    params = {**IDENTITY.params, "evaluation": {"margin_points": 0.5}}
    write_reports(reports, dataclasses.replace(IDENTITY, params=params), book=True)
    said = report.read(reports).of_bases
    assert said[1] == "Take it: none that is faster is surely less than 0.5 points worse."
    shuffled = with_split(shuffle_train_labels=1)
    write_reports(reports, shuffled, book=True)
    write_studies(reports / "studies", shuffled)
    assert report.read(reports).of_bases == []  # a control
    (reports / "studies/bases.json").unlink()
    write_reports(reports, book=True)
    assert report.read(reports).of_bases == []


def test_a_study_that_does_not_say_whose_it_is_is_not_shown(reports: Path) -> None:
    (reports / "studies/recipes.json").unlink()
    studies = report.studies_of(reports, ladder(book=True))
    assert "recipes" not in names_of(studies)
    assert studies.left_out == ()


def test_a_recipes_studies_are_shown_with_its_ladder_alone(tmp_path: Path) -> None:
    mine = with_split(test=3)
    write_reports(tmp_path)
    write_reports(tmp_path / "mine", mine)
    write_reports(tmp_path / "other", with_split(test=4))
    write_seeds(tmp_path / "studies/mine", mine)
    measured = ladder(book=False)
    default = report.studies_of(tmp_path, measured)
    assert (names_of(default), default.left_out) == (set(), ())  # no reason is needed
    assert names_of(report.studies_of(tmp_path / "mine", measured)) == OF_SEEDS
    assert names_of(report.studies_of(tmp_path / "other", measured)) == set()
    # While a recipe climbs, its ladder lies where the default's does: identities say whose it is.
    write_reports(tmp_path, mine)
    assert names_of(report.studies_of(tmp_path, measured)) == OF_SEEDS
    write_seeds(tmp_path / "studies/mine", OTHER_CODE)
    assert names_of(report.studies_of(tmp_path, measured)) == set()
    (reason,) = report.studies_of(tmp_path / "mine", measured).left_out
    assert reason.startswith(f"{tmp_path / 'studies/mine/seeds'} is of another climb: fingerprint")


@pytest.mark.parametrize("recipe", ["a_recipe", "zebra"])
def test_own_studies_come_before_those_of_a_recipe_of_the_same_identity(
    reports: Path, recipe: str
) -> None:
    write_seeds(reports / "studies" / recipe, mean=0.25)  # of another picture to look at, say
    studies = report.studies_of(reports, ladder(book=True))
    assert set(studies.seeds_summary["mean"]) == {0.5}
    write_reports(reports / recipe, book=True)
    own = report.studies_of(reports / recipe, ladder(book=True))
    assert set(own.seeds_summary["mean"]) == {0.25}


def test_one_seed_alone_is_no_study(reports: Path) -> None:
    write_seeds(reports / "studies", seeds=1)
    studies = report.studies_of(reports, ladder(book=True))
    assert names_of(studies) == OF_CURVE | {"bases", "recipes", "recipes_seeds"}


def test_a_folder_is_read_whole(reports: Path) -> None:
    whole = report.read(reports)
    assert (whole.name, whole.source, whole.identity) == ("oaks", "folder", IDENTITY)
    assert list(whole.predictions) == list(rungs.RUNGS)
    assert whole.runtimes == {"scratch": {"policy": "float32"}}
    assert len(whole.ladder) == len(whole.paired) == 5
    assert len(whole.book) == 1
    assert (len(whole.duplicates), len(whole.suspects), len(whole.planted)) == (0, 0, 0)
    assert names_of(whole.studies) >= OF_SEEDS
    assert whole.control == []


def test_a_folder_without_a_climb_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "elms"
    message = (
        rf"{re.escape(str(missing))}: expected the reports of a climb%s\. Received: none\. "
        r"Climb first: `ladder climb PICTURES`, or `make repro`\."
    )
    with pytest.raises(errors.InputError, match=message % ""):
        report.read(missing)
    for name in ("oaks", "birds"):
        write_reports(tmp_path / name)
    with pytest.raises(errors.InputError, match=message % ": birds, oaks"):
        report.read(missing)


def test_the_advice_takes_the_margin_of_the_climbs_params(tmp_path: Path) -> None:
    write_reports(tmp_path)
    assert report.read(tmp_path).advice == ADVICE
    params = {**IDENTITY.params, "evaluation": {"margin_points": 8.0}}
    dear = ladder(book=False).assign(seconds_alone=[60.0, 1200.0, 3000.0, 70.0, 120.0])
    write_reports(tmp_path, dataclasses.replace(IDENTITY, params=params))
    artifacts.write_csv(tmp_path / "ladder.csv", dear)
    assert report.read(tmp_path).advice == (
        "scratch is the cheapest rung that is surely less than 8 points worse than any other: "
        "60 s instead of 3,000 s for the best, features, -5.0 points (-6.6 to -3.4) of test "
        "accuracy."
    )


def write_predictions(folder: Path, labels: list[int], classes: int) -> None:
    """Writes answers of every rung to validation and test that are all the first class."""
    frame = pd.DataFrame({"id": range(len(labels)), "label": labels})
    columns = {f"probability_{i}": float(i == 0) for i in range(classes)}
    if classes == 2:
        columns = {"probability": 0.0}
    both = [frame.assign(**columns, subset=subset) for subset in ("validation", "test")]
    for rung in rungs.RUNGS:
        artifacts.write_csv(folder / f"predictions/{rung}.csv", pd.concat(both))


@pytest.mark.parametrize(
    ("labels", "classes", "little"),
    [
        ([0, 1] * 5, 2, False),
        ([0, 1] * 5 + [0], 2, True),
        ([0, 1, 2] * 5, 3, True),
        ([0] * 10, 2, True),
    ],
)
def test_an_accuracy_alone_says_little_of_more_than_two_or_of_unequal_classes(
    tmp_path: Path, labels: list[int], classes: int, little: bool
) -> None:
    write_reports(tmp_path)
    write_predictions(tmp_path, labels, classes)
    whole = report.read(tmp_path)
    assert whole.class_count == classes
    assert whole.says_little == little
    assert len(whole.beside_accuracy) == little
    assert ("balanced accuracy" in report.text(tmp_path)) == little


def test_the_terminal_says_the_baseline_before_the_advice(tmp_path: Path) -> None:
    write_reports(tmp_path)
    write_predictions(tmp_path, [0] * 8 + [1, 2], 3)
    assert report.read(tmp_path).baseline.empty  # as in older reports
    columns = ["subset", "class_name", "accuracy", "balanced_accuracy"]
    baseline = pd.DataFrame([("test", "007", 0.8, 1 / 3)], columns=columns)
    artifacts.write_csv(tmp_path / "baseline.csv", baseline)
    classes = pd.DataFrame({"rung": ["scratch"], "class_name": ["nan"], "pictures": [8]})
    artifacts.write_csv(tmp_path / "classes.csv", classes)
    whole = report.read(tmp_path)
    assert whole.classes.equals(classes)
    *_, line, advice = report.text(tmp_path).split("\n")
    assert advice == whole.advice
    assert line == (
        "Always answering 007 is right on 80.0 % of test (balanced accuracy 33.3 %); "
        f"{whole.advised} has a balanced accuracy, the mean of its classes' recalls, of 33.3 %."
    )


def test_chance_is_of_all_classes_though_test_lacks_some(tmp_path: Path) -> None:
    write_reports(tmp_path, with_split(shuffle_train_labels=3))
    write_predictions(tmp_path, [0, 1] * 5, 4)
    (lead,) = report.read(tmp_path).control
    assert "chance, 25.0 % on test" in lead
    assert "balanced accuracy" not in report.text(tmp_path)


def test_a_control_is_named_and_its_rungs_are_not_compared(tmp_path: Path) -> None:
    write_reports(tmp_path, with_split(shuffle_train_labels=3))
    table, control = report.text(tmp_path).split("\n\n")
    assert table == sentences.table(ladder(book=False))
    assert control.startswith("A control:")
    assert "chance, 50.0 % on test" in control
    assert "\n" not in control  # one climb tells nothing of its rungs


def test_a_control_tells_of_its_deals_on_test(tmp_path: Path) -> None:
    write_reports(tmp_path, with_split(shuffle_train_labels=3))
    write_seeds(tmp_path / "studies", with_split(shuffle_train_labels=1), seeds=10)  # by the deal
    (_, *each) = report.read(tmp_path).control
    assert len(each) == len(rungs.RUNGS)
    assert each[0] == (
        "scratch: mean over 10 deals 50.0 %, 95 % interval 40.0 – 60.0; chance lies inside."
    )
    text = report.text(tmp_path)
    assert "mean ± standard deviation" not in text
    assert "features over scratch" not in text
    assert ADVICE not in text


@pytest.mark.parametrize("folder", ["oaks", "reports/oaks", "./reports/oaks", "/reports/oaks"])
def test_a_datasets_ladder_is_shown_and_what_may_be_said_of_it(
    at_root: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    write_reports(at_root / "reports/oaks")
    folder = f"{at_root}{folder}" if folder.startswith("/") else folder
    report.show(folder, open_page=False)
    step = sentences.steps(paired())[0]
    table = sentences.table(ladder(book=False))
    assert capsys.readouterr().out == f"{table}\n\n{step}\n{ADVICE}\n"


def test_without_a_folder_it_is_the_ladder_of_the_params_dataset(
    at_root: Path,
    capsys: pytest.CaptureFixture[str],
    params: dict[str, Any],
    write_params: Callable[..., Path],
) -> None:
    params["dataset"]["name"] = "dogs_vs_cats"
    write_params(params)
    write_reports(at_root / "reports/dogs_vs_cats", book=True)
    report.show("", open_page=False)
    text = capsys.readouterr().out
    assert text.startswith(sentences.table(ladder(book=True)))
    assert "its interval 68.0 – 72.0 holds the book's 71 % (5.2)." in text


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("open_page", [True, False])
def test_the_page_is_named_and_opened_at_a_terminal(
    at_root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    open_page: bool,
    terminal: bool,
) -> None:
    folder = "reports/oaks"
    write_reports(at_root / folder)
    page = at_root / folder / "ladder.html"
    page.write_text("a page")
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    report.show(folder, open_page=open_page)
    assert capsys.readouterr().out.endswith(f"{ADVICE}\n\n{folder}/ladder.html\n")
    assert opened == ([page.as_uri()] if open_page and terminal else [])


def test_other_corrections_stand_with_both_accuracies(tmp_path: Path) -> None:
    write_reports(tmp_path)
    before = report.read(tmp_path)
    after = dataclasses.replace(
        before,
        ladder=before.ladder.assign(test_accuracy=before.ladder["test_accuracy"] + 0.01),
    )
    lines = report.after_corrections(before, after)
    assert lines[1].endswith("corrections, on 1,000 and 1,000 pictures:")
    rows = [line.split() for line in lines[2:7]]
    assert rows[0] == ["scratch", "70.0", "→", "71.0"]
    assert [row[0] for row in rows] == list(rungs.RUNGS)
