import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ladder import artifacts, paths, provenance, rungs
from ladder.page import report

FILLED = """\
rung                  book  validation    test   95 % interval  seconds
scratch                 71        72.0    70.5     68.0 – 72.9       12
fine_tuned              97        97.5    97.0     95.8 – 97.9     1235"""
EMPTY = FILLED.replace("71  ", "    ").replace("97      ", "        ")


def ladder(book: bool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rung": ["scratch", "fine_tuned"],
            "book": [0.71, 0.97] if book else [None, None],
            "validation_accuracy": [0.72, 0.975],
            "test_accuracy": [0.705, 0.97],
            "test_ci_low": [0.67961, 0.9576],
            "test_ci_high": [0.7291, 0.9788],
            "seconds": [12.3, 1234.6],
        }
    )


@pytest.mark.parametrize(("book", "expected"), [(True, FILLED), (False, EMPTY)])
def test_the_table_is_aligned_and_in_per_cent(book: bool, expected: str) -> None:
    assert report.table(ladder(book)) == expected


def test_every_line_is_as_wide_as_the_first() -> None:
    assert len({len(line) for line in report.table(ladder(True)).splitlines()}) == 1


@pytest.fixture
def printed(
    at_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs the module with arguments and returns what it prints."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["report", *arguments])
        monkeypatch.delitem(sys.modules, "ladder.page.report")
        runpy.run_module("ladder.page.report", run_name="__main__")
        return capsys.readouterr().out

    return run


def paired(p_best: dict[str, float]) -> pd.DataFrame:
    """Returns comparisons of three rungs, the last the best, with these corrected p-values."""
    rows = [
        ("neighbours", "features", "scratch", 1000, 300, 20, 1e-9),
        ("neighbours", "fine_tuned", "features", 1000, 12, 7, 0.36),
        *(("best", rung, "fine_tuned", 1000, 7, 12, p) for rung, p in p_best.items()),
    ]
    columns = ["family", "rung", "other", "pictures", "rung_right_alone", "other_right_alone"]
    frame = pd.DataFrame(rows, columns=[*columns, "p_value_holm"])
    frame["difference"] = (frame["rung_right_alone"] - frame["other_right_alone"]) / 1000
    return frame.assign(distinguishable=frame["p_value_holm"] <= 0.05, ci_low=-0.012, ci_high=0.3)


PRICES = pd.DataFrame(
    {"rung": ["scratch", "features", "fine_tuned"], "seconds_alone": [20.0, 80.0, 1234.0]}
)


def test_a_sentence_tells_each_rung_from_the_one_before() -> None:
    assert report.steps(paired({})) == [
        "features is distinguishable from scratch on these 1,000 pictures, better: 300 right where "
        "the other is wrong, 20 the other way; p < 0.001; +28.0 points (-1.2 to +30.0).",
        "fine_tuned is not distinguishable from features on these 1,000 pictures: 12 right where "
        "the other is wrong, 7 the other way; p = 0.360; +0.5 points (-1.2 to +30.0).",
    ]


def test_a_rung_may_be_worse_than_the_one_before() -> None:
    frame = paired({}).assign(rung_right_alone=3, other_right_alone=40, distinguishable=True)
    assert all("pictures, worse: 3 right" in sentence for sentence in report.steps(frame))


@pytest.mark.parametrize(
    ("scratch", "features", "expected"),
    [
        (0.001, 0.3, "features is the cheapest rung that is not distinguishably worse than the "
         "best, fine_tuned: 80 s instead of 1,234 s, -0.5 points (-1.2 to +30.0) of test "
         "accuracy."),
        (0.3, 0.3, "scratch is the cheapest rung that is not distinguishably worse than the "
         "best, fine_tuned: 20 s instead of 1,234 s, -0.5 points (-1.2 to +30.0) of test "
         "accuracy."),
        (0.001, 0.01, "fine_tuned is best on test, and no cheaper rung is as good: 1,234 s."),
    ],
)  # fmt: skip
def test_the_cheapest_rung_that_is_as_good_is_named(
    scratch: float, features: float, expected: str
) -> None:
    assert report.advice(paired({"scratch": scratch, "features": features}), PRICES) == expected


def test_the_best_is_named_where_it_is_the_cheapest() -> None:
    cheap = PRICES.assign(seconds_alone=[20.0, 80.0, 5.0])
    assert report.cheapest(paired({"scratch": 0.3, "features": 0.3}), cheap) == "fine_tuned"


def test_the_books_figures_lie_above_inside_or_below() -> None:
    frame = pd.DataFrame(
        {
            "rung": ["scratch", "features", "fine_tuned"],
            "book": [0.71, 0.90, 0.97],
            "subset": ["validation", "validation", "test"],
            "notebook": ["5.2-a", "5.3-b", "5.3-b"],
            "accuracy": [0.707, 0.976, 0.9],
            "ci_low": [0.678, 0.9645, 0.88],
            "ci_high": [0.7344, 0.9838, 0.9199],
            "verdict": ["inside", "above", "below"],
        }
    )
    assert report.against_book(frame) == [
        "scratch: 70.7 % on validation; its interval 67.8 – 73.4 holds the book's 71 % (5.2-a).",
        "features: 97.6 % on validation; its interval 96.5 – 98.4 lies above the book's 90 % "
        "(5.3-b).",
        "fine_tuned: 90.0 % on test; its interval 88.0 – 92.0 lies below the book's 97 % (5.3-b).",
    ]


def test_the_last_step_says_whether_more_labels_help() -> None:
    frame = pd.DataFrame(
        {
            "rung": ["scratch", "scratch", "features", "fine_tuned"],
            "from_pictures": [500, 1000, 1000, 1000],
            "to_pictures": [1000, 2000, 2000, 2000],
            "gain": [0.5, 0.031, 0.004, -0.02],
            "ci_low": [0.4, 0.012, -0.006, -0.03],
            "ci_high": [0.6, 0.05, 0.014, -0.01],
        }
    )
    assert report.gains(frame) == [
        "scratch: 1,000 → 2,000 train pictures, +3.1 points (+1.2 to +5.0): more labels helped, "
        "with this seed.",
        "features: 1,000 → 2,000 train pictures, +0.4 points (-0.6 to +1.4): no difference that "
        "these pictures show.",
        "fine_tuned: 1,000 → 2,000 train pictures, -2.0 points (-3.0 to -1.0): more labels "
        "harmed, with this seed.",
    ]


SPLIT = {"test": 9, "train_used_per_class": None, "shuffle_train_labels": False}
PARAMS = {"seed": 0, "split": SPLIT}
BEST = "fine_tuned is best on test, and no cheaper rung is as good: 50 s."


def write_reports(folder: Path, book: bool, deal: int = 0) -> None:
    params = PARAMS | {"split": SPLIT | {"shuffle_train_labels": deal or False}}
    deps = [{"path": "src/ladder/split.py", "md5": "md5"}]
    lock = {"stages": {"split": {"deps": deps, "params": {"params.yaml": params}}}}
    artifacts.write_json(folder / "climb.lock", lock)  # JSON is YAML
    table = ladder(book).assign(seconds_alone=[5.0, 50.0])
    if book:
        table["book_subset"] = ["validation", "test"]
    artifacts.write_csv(folder / "ladder.csv", table)
    two = paired({"scratch": 0.001}).query("rung != 'features' and other != 'features'")
    artifacts.write_csv(folder / "paired.csv", two)
    columns = ["rung", "book", "subset", "notebook", "accuracy", "ci_low", "ci_high", "verdict"]
    artifacts.write_csv(folder / "book.csv", pd.DataFrame(columns=columns))


def test_the_module_prints_a_folders_ladder_and_what_may_be_said_of_it(
    at_root: Path, printed: Callable[..., str]
) -> None:
    write_reports(at_root, book=True)
    assert printed(str(at_root)) == f"{FILLED}\n\n{BEST}\n"


def test_a_control_is_told_before_what_its_rungs_reach(at_root: Path) -> None:
    write_reports(at_root, book=False, deal=1)
    answers = pd.DataFrame({"subset": ["validation"] + ["test"] * 10, "label": [2, *[0, 1] * 5]})
    artifacts.write_csv(at_root / "predictions/scratch.csv", answers)
    paragraphs = report.text(at_root).split("\n\n")
    assert paragraphs[0] == EMPTY
    assert paragraphs[1].startswith("A control:")
    assert "within 10.0 – 60.0 %" in paragraphs[1]  # of ten pictures, three classes
    assert paragraphs[2] == BEST


def test_the_module_prints_the_ladder_of_the_params_dataset(
    at_root: Path,
    printed: Callable[..., str],
    params: dict[str, Any],
    write_params: Callable[..., Path],
) -> None:
    params["dataset"]["source"] = "dogs_vs_cats"
    write_params(params)
    write_reports(at_root / "reports/dogs_vs_cats", book=False)
    assert printed() == f"{EMPTY}\n\n{BEST}\n"


OF_SEEDS = {"recipe": "float32", "rung": "features", "seeds": 3, "default_mean": 0.9621}
OF_SEEDS |= {"default_standard_deviation": 0.0031, "mean": 0.9702, "standard_deviation": 0.0049}
OF_SEEDS |= {"difference": 0.0081, "ci_low": -0.0038, "ci_high": 0.0199}


def write_climbs(reports: Path, md5: str, seeds: int = 5) -> None:
    """Writes that the studies were climbed with the fixture's params and code of this hash."""
    digest = provenance.digest(PARAMS, {"src/ladder/split.py": md5})
    climbed = pd.DataFrame({"seed": range(seeds), "digest": digest})
    artifacts.write_csv(reports / "studies/seeds_climbs.csv", climbed)
    points = pd.DataFrame({"train_pictures": [4, 8], "digest": digest})
    artifacts.write_csv(reports / "studies/learning_curve.csv", points)
    for name in ("recipes", "recipes_seeds"):
        table = reports / f"studies/{name}.csv"
        artifacts.write_csv(table, pd.read_csv(table).assign(digest=digest))


@pytest.fixture
def studied(at_root: Path) -> Path:
    """A climb's reports with studies of seeds and recipes, made of that climb."""
    write_reports(at_root, book=True)
    rows = [(rung, subset, 5) for rung in rungs.RUNGS for subset in ("validation", "test")]
    steps = [("features", "scratch", 5, 0.1, 0.08, 0.12)]
    columns = ["rung", "other", "seeds", "difference", "ci_low", "ci_high"]
    artifacts.write_csv(at_root / "studies/seeds_steps.csv", pd.DataFrame(steps, columns=columns))
    gains = [("features", 4, 8, 0.02, 0.01, 0.03)]
    columns = ["rung", "from_pictures", "to_pictures", "gain", "ci_low", "ci_high"]
    artifacts.write_csv(
        at_root / "studies/learning_curve_gains.csv", pd.DataFrame(gains, columns=columns)
    )
    for name, column in (("seeds", "accuracy"), ("seeds_summary", "mean")):
        frame = pd.DataFrame(rows, columns=["rung", "subset", "seeds"])
        for measure in (column, "standard_deviation", "ci_low", "ci_high"):
            frame[measure] = 0.5
        artifacts.write_csv(at_root / f"studies/{name}.csv", frame)
    recipe = {"recipe": "end_to_end", "rung": "fine_tuned", "accuracy": 0.95, "p_value_holm": 0.2}
    recipe |= {"beside": "default", "beside_accuracy": 0.97}
    recipe |= {"recipe_right_alone": 7, "beside_right_alone": 27}
    artifacts.write_csv(at_root / "studies/recipes_seeds.csv", pd.DataFrame([OF_SEEDS]))
    artifacts.write_csv(at_root / "studies/recipes.csv", pd.DataFrame([recipe]))
    write_climbs(at_root, "md5")
    return at_root


def shown(made: dict[str, pd.DataFrame]) -> set[str]:
    return {name for name, table in made.items() if len(table)}


def test_seeds_are_shown_on_the_subset_of_the_books_figures(studied: Path) -> None:
    measured = pd.read_csv(studied / "ladder.csv")
    made = report.made_studies(studied, measured)
    of_seeds = {"seeds", "seeds_summary", "seeds_steps", "recipes_seeds"}
    assert shown(made) == of_seeds | {"recipes", "learning_curve", "learning_curve_gains"}
    subsets = dict(zip(made["seeds"]["rung"], made["seeds"]["subset"], strict=True))
    assert (subsets["scratch"], subsets["features"], subsets["fine_tuned"]) == (
        *("validation", "test"),  # the book has no figure of this ladder's second
        "test",
    )
    other = report.made_studies(studied, measured.assign(book=None, book_subset=None))
    assert other["seeds"]["subset"].tolist() == ["test"] * 5


def test_studies_of_another_climb_are_not_shown(studied: Path) -> None:
    assert "seeds; 95 %" in report.text(studied)
    assert "features over scratch: +10.0 points (+8.0 to +12.0)" in report.text(studied)
    assert "features: 4 → 8 train pictures" in report.text(studied)
    assert "end_to_end, fine_tuned: 95.0 %" in report.text(studied)
    assert "float32, features: 97.0 ± 0.5 %" in report.text(studied)
    write_climbs(studied, "md5 of changed code")
    assert "seeds; 95 %" not in report.text(studied)
    assert "features over scratch" not in report.text(studied)
    assert "train pictures" not in report.text(studied)
    assert "end_to_end" not in report.text(studied)
    assert "float32" not in report.text(studied)


def test_a_recipes_studies_are_shown_with_its_ladder_alone(studied: Path) -> None:
    measured = pd.read_csv(studied / "ladder.csv")
    made = {name: (studied / f"studies/{name}.csv").read_bytes() for name in report.STUDIES}
    shutil.rmtree(studied / "studies")
    for recipe in ("mine", "other"):
        (studied / recipe).mkdir()
        shutil.copy(studied / "climb.lock", studied / recipe)
    (studied / "studies/mine").mkdir(parents=True)
    for name in ("seeds", "seeds_summary", "seeds_steps"):
        (studied / f"studies/mine/{name}.csv").write_bytes(made[name])
    climbed = studied / "studies/mine/seeds_climbs.csv"
    digest = provenance.digest(*provenance.of_lock(studied / "climb.lock"))
    artifacts.write_csv(climbed, pd.DataFrame({"digest": [digest] * 5}))
    of_seeds = {"seeds", "seeds_summary", "seeds_steps"}
    # While a recipe climbs, its ladder lies where the default's does: digests say whose is whose.
    assert shown(report.made_studies(studied, measured)) == of_seeds
    assert shown(report.made_studies(studied / "mine", measured)) == of_seeds
    assert not shown(report.made_studies(studied / "other", measured))
    artifacts.write_csv(climbed, pd.DataFrame({"digest": ["of another recipe"] * 5}))
    assert not shown(report.made_studies(studied, measured))


def test_a_recipe_of_the_same_digest_does_not_hide_the_defaults_seeds(studied: Path) -> None:
    own = studied / "studies/mine"  # another picture to look at, say
    shutil.copytree(studied / "studies", own)
    summary = pd.read_csv(own / "seeds_summary.csv").assign(seeds=2)
    artifacts.write_csv(own / "seeds_summary.csv", summary)
    made = report.made_studies(studied, pd.read_csv(studied / "ladder.csv"))
    assert made["seeds_summary"]["seeds"].tolist() == [5] * 5


def test_one_seed_alone_is_no_study(studied: Path) -> None:
    write_climbs(studied, "md5", seeds=1)
    made = report.made_studies(studied, pd.read_csv(studied / "ladder.csv"))
    assert not {"seeds", "seeds_summary", "seeds_steps"} & shown(made)


def test_a_study_without_digests_is_not_shown(studied: Path) -> None:
    recipes = studied / "studies/recipes.csv"
    artifacts.write_csv(recipes, pd.read_csv(recipes).drop(columns="digest"))
    made = report.made_studies(studied, pd.read_csv(studied / "ladder.csv"))
    assert "recipes" not in shown(made)


def test_a_learning_curve_of_other_code_is_not_shown(studied: Path) -> None:
    write_climbs(studied, "md5 of changed code")
    made = report.made_studies(studied, pd.read_csv(studied / "ladder.csv"))
    assert "learning_curve" not in shown(made)


def test_a_sentence_per_rung_tells_the_mean_over_seeds() -> None:
    row = ("features", "test", 5, 0.9712, 0.0031, 0.9611, 0.98)
    columns = ["rung", "subset", "seeds", "mean", "standard_deviation", "ci_low", "ci_high"]
    assert report.seeds(pd.DataFrame([row], columns=columns)) == [
        "features: 97.1 ± 0.3 % on test, mean ± standard deviation of 5 seeds; 95 % interval "
        "96.1 – 98.0."
    ]


def test_a_sentence_per_rung_that_a_recipe_changes() -> None:
    row = {"recipe": "end_to_end", "rung": "fine_tuned", "accuracy": 0.95, "p_value_holm": 0.2}
    row |= {"beside": "default", "beside_accuracy": 0.961}
    row |= {"recipe_right_alone": 7, "beside_right_alone": 18}
    assert report.recipes(pd.DataFrame([row])) == [
        "end_to_end, fine_tuned: 95.0 % on test, default 96.1; 7 right where default is wrong, 18 "
        "the other way; p = 0.200."
    ]


def test_a_sentence_per_rung_that_a_recipe_changes_over_seeds() -> None:
    assert report.recipes_seeds(pd.DataFrame([OF_SEEDS])) == [
        "float32, features: 97.0 ± 0.5 % on test instead of 96.2 ± 0.3, over 3 seeds; 95 % "
        "interval of the difference -0.4 to +2.0."
    ]


@pytest.mark.parametrize(
    ("pictures", "interval", "said"),  # of a fair coin; the rungs have 70.5 and 97.0 %
    [
        (2, "0.0 – 100.0", "all rungs lie inside"),
        (10, "20.0 – 80.0", "outside: fine_tuned"),
        (1000, "46.9 – 53.1", "outside: scratch, fine_tuned"),
    ],
)
def test_a_control_names_the_rungs_that_learned_something(
    pictures: int, interval: str, said: str
) -> None:
    sentence = report.control(ladder(False), pd.DataFrame(), pictures, 2)
    assert f"within {interval} %; {said}. A network" in sentence
    assert sentence.endswith("far above.")


def test_a_control_tells_of_its_deals_too() -> None:
    rows = [("scratch", 10, 0.47, 0.53), ("features", 10, 0.51, 0.56), ("fine_tuned", 10, 0.4, 0.5)]
    deals = pd.DataFrame(rows, columns=["rung", "seeds", "ci_low", "ci_high"])
    told = report.control(ladder(False), deals, 1000, 2)
    assert "Over 10 deals the 95 % interval of the mean of every rung but features holds" in told
    told = report.control(ladder(False), deals[deals["rung"] != "features"], 1000, 2)
    assert told.endswith("the mean of every rung holds 50.0 %.")
