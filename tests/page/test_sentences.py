import re

import numpy as np
import pandas as pd
import pytest

from ladder.page import sentences

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
    assert sentences.table(ladder(book)) == expected


def test_every_line_is_as_wide_as_the_first() -> None:
    assert len({len(line) for line in sentences.table(ladder(True)).splitlines()}) == 1


def test_an_accuracy_that_says_little_stands_beside_another() -> None:
    rows = [("validation", "elm", 0.5, 0.5), ("test", "oak", 0.8, 1 / 3)]
    baseline = pd.DataFrame(rows, columns=["subset", "class_name", "accuracy", "balanced_accuracy"])
    alone = "features has a balanced accuracy, the mean of its classes' recalls, of 87.6 %."
    assert sentences.beside_accuracy(baseline, "features", 0.876) == (
        f"Always answering oak is right on 80.0 % of test (balanced accuracy 33.3 %); {alone}"
    )
    assert sentences.beside_accuracy(pd.DataFrame(), "features", 0.876) == alone


def neighbours() -> pd.DataFrame:
    """Returns comparisons of three rungs, each with the one before; and one with the best."""
    rows = [
        ("neighbours", "features", "scratch", 1000, 300, 20, 1e-9),
        ("neighbours", "fine_tuned", "features", 1000, 12, 7, 0.36),
        ("best", "scratch", "fine_tuned", 1000, 7, 12, 0.36),
    ]
    columns = ["family", "rung", "other", "pictures", "rung_right_alone", "other_right_alone"]
    frame = pd.DataFrame(rows, columns=[*columns, "p_value_holm"])
    frame["difference"] = (frame["rung_right_alone"] - frame["other_right_alone"]) / 1000
    return frame.assign(distinguishable=frame["p_value_holm"] <= 0.05, ci_low=-0.012, ci_high=0.3)


def test_a_sentence_tells_each_rung_from_the_one_before() -> None:
    assert sentences.steps(neighbours()) == [
        "features is distinguishable from scratch on these 1,000 pictures, better: 300 right where "
        "the other is wrong, 20 the other way; p < 0.001; +28.0 points (-1.2 to +30.0).",
        "fine_tuned is not distinguishable from features on these 1,000 pictures: 12 right where "
        "the other is wrong, 7 the other way; p = 0.360; +0.5 points (-1.2 to +30.0).",
    ]


def test_a_rung_may_be_worse_than_the_one_before() -> None:
    frame = neighbours().assign(rung_right_alone=3, other_right_alone=40, distinguishable=True)
    steps = sentences.steps(frame)
    assert len(steps) == 2
    assert all("pictures, worse: 3 right" in sentence for sentence in steps)


RUNGS = ("scratch", "features", "fine_tuned")
SECONDS = (20.0, 80.0, 1234.0)
WORSE, OPEN, GOOD, BEST = "worse", "cannot tell", "as good", "best"


def compared(*verdicts: str, seconds: tuple[float, ...] = SECONDS) -> pd.DataFrame:
    """Returns `comparison.good_enough` of three rungs with these verdicts, on 60 test pictures."""
    frame = pd.DataFrame({"rung": RUNGS, "seconds_alone": seconds, "verdict": verdicts})
    is_best = frame["verdict"] == BEST
    return frame.assign(
        pictures=60,
        difference=np.where(is_best, 0.0, [-0.2, -0.005, -0.01]),
        ci_low=np.where(is_best, 0.0, [-0.3, -0.012, -0.018]),
        ci_high=np.where(is_best, 0.0, [-0.1, 0.002, 0.03]),
        pictures_to_tell=np.where(is_best, 0.0, [512.0, 1834.2, 91.0]),
    )


FEATURES_OPEN = (
    "These 60 test pictures cannot tell whether features, which is cheaper (80 s), is less than 2 "
    "points worse than any other: -0.5 points (-1.2 to +0.2) from the best. It would take about "
    "1,900."
)
SCRATCH_OPEN = (
    "These 60 test pictures cannot tell whether scratch, which is cheaper (20 s), is less than 2 "
    "points worse than any other: -20.0 points (-30.0 to -10.0) from the best. It would take about "
    "520."
)
FEATURES_GOOD = (
    "features is the cheapest rung that is surely less than 2 points worse than any other: 80 s "
    "instead of 1,234 s for the best, fine_tuned, -0.5 points (-1.2 to +0.2) of test accuracy."
)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((WORSE, GOOD, BEST), FEATURES_GOOD),
        ((OPEN, GOOD, BEST), f"{FEATURES_GOOD} {SCRATCH_OPEN}"),
        ((GOOD, OPEN, BEST), "scratch is the cheapest rung that is surely less than 2 points worse"
         " than any other: 20 s instead of 1,234 s for the best, fine_tuned, -20.0 points (-30.0 to"
         " -10.0) of test accuracy."),
        ((WORSE, WORSE, BEST), "fine_tuned is best on test, and every cheaper rung is surely more "
         "than 2 points worse than another: 1,234 s."),
        ((WORSE, OPEN, BEST), f"fine_tuned is best on test: 1,234 s. {FEATURES_OPEN}"),
        ((OPEN, OPEN, BEST), f"fine_tuned is best on test: 1,234 s. {SCRATCH_OPEN}"),
        ((BEST, WORSE, OPEN), "scratch is best on test, and it is the cheapest: 20 s."),
        ((WORSE, BEST, GOOD), "features is best on test, and every cheaper rung is surely more "
         "than 2 points worse than another: 80 s."),
        ((OPEN, BEST, OPEN), f"features is best on test: 80 s. {SCRATCH_OPEN}"),
    ],
)  # fmt: skip
def test_the_cheapest_rung_that_is_as_good_is_advised(
    verdicts: tuple[str, str, str], expected: str
) -> None:
    assert sentences.advice(compared(*verdicts), 2.0) == expected


@pytest.mark.parametrize("first", [WORSE, OPEN, GOOD])
@pytest.mark.parametrize("second", [WORSE, OPEN, GOOD])
def test_no_rung_is_advised_that_is_worse_or_may_be(first: str, second: str) -> None:
    advised = sentences.advice(compared(first, second, BEST), 2.0).split()[0]
    good = [rung for rung, v in zip(RUNGS, (first, second, BEST), strict=True) if v in {GOOD, BEST}]
    assert advised == good[0]


def test_price_decides_and_not_the_order_of_rungs() -> None:
    frame = compared(GOOD, GOOD, BEST, seconds=(900.0, 80.0, 1234.0))
    assert sentences.advice(frame, 2.0) == FEATURES_GOOD
    dear = compared(OPEN, OPEN, BEST, seconds=(900.0, 80.0, 1234.0))
    assert sentences.advice(dear, 2.0).endswith(FEATURES_OPEN)
    cheap = compared(OPEN, GOOD, BEST, seconds=(20.0, 80.0, 5.0))
    assert (
        sentences.advice(cheap, 2.0) == "fine_tuned is best on test, and it is the cheapest: 5 s."
    )


def test_of_two_that_cost_the_same_the_first_is_advised() -> None:
    frame = compared(GOOD, GOOD, BEST, seconds=(80.0, 80.0, 80.0))
    assert sentences.advice(frame, 2.0).startswith("scratch is the cheapest rung")


@pytest.mark.parametrize(
    ("margin", "text"), [(1.0, "1 point"), (0.5, "0.5 points"), (5, "5 points")]
)
def test_the_margin_is_named_as_it_is_set(margin: float, text: str) -> None:
    assert f"surely less than {text} worse" in sentences.advice(compared(WORSE, GOOD, BEST), margin)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (91.0, "about 91."),
        (97.2, "about 98."),
        (120.0, "about 120."),
        (120.1, "about 130."),
        (1834.2, "about 1,900."),
        (99_100.0, "about 100,000."),
        (100_001.0, "take more than 100,000."),
        (np.inf, "take more than 100,000."),
    ],
)
def test_a_number_of_pictures_to_tell_is_rounded_up_to_two_digits(count: float, text: str) -> None:
    frame = compared(WORSE, OPEN, BEST).assign(pictures_to_tell=count)
    assert sentences.advice(frame, 2.0).endswith(text)


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
    assert sentences.against_book(frame) == [
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
    assert sentences.gains(frame) == [
        "scratch: 1,000 → 2,000 train pictures, +3.1 points (+1.2 to +5.0): more labels helped, "
        "with this seed.",
        "features: 1,000 → 2,000 train pictures, +0.4 points (-0.6 to +1.4): no difference that "
        "these pictures show.",
        "fine_tuned: 1,000 → 2,000 train pictures, -2.0 points (-3.0 to -1.0): more labels "
        "harmed, with this seed.",
    ]


def test_of_a_study_that_is_not_there_nothing_is_said() -> None:
    none = pd.DataFrame()
    for say in (
        sentences.gains,
        sentences.seeds,
        sentences.seeds_steps,
        sentences.recipes,
        sentences.recipes_seeds,
    ):
        assert say(none) == []


def test_a_sentence_per_rung_tells_the_mean_over_seeds() -> None:
    row = ("features", "test", 5, 0.9712, 0.0031, 0.9611, 0.98)
    columns = ["rung", "subset", "seeds", "mean", "standard_deviation", "ci_low", "ci_high"]
    assert sentences.seeds(pd.DataFrame([row], columns=columns)) == [
        "features: 97.1 ± 0.3 % on test, mean ± standard deviation of 5 seeds; 95 % interval "
        "96.1 – 98.0."
    ]


def test_a_sentence_per_rung_tells_what_it_brings_over_the_seeds() -> None:
    row = ("features", "scratch", 5, 0.1, 0.08, 0.12)
    columns = ["rung", "other", "seeds", "difference", "ci_low", "ci_high"]
    assert sentences.seeds_steps(pd.DataFrame([row], columns=columns)) == [
        "features over scratch: +10.0 points (+8.0 to +12.0) of test accuracy, over 5 seeds."
    ]


def test_a_sentence_per_rung_that_a_recipe_changes() -> None:
    row = {"recipe": "end_to_end", "rung": "fine_tuned", "accuracy": 0.95, "p_value_holm": 0.2}
    row |= {"compared_with": "default", "other_accuracy": 0.961}
    row |= {"recipe_right_alone": 7, "other_right_alone": 18}
    assert sentences.recipes(pd.DataFrame([row])) == [
        "end_to_end, fine_tuned: 95.0 % on test, default 96.1; 7 right where default is wrong, 18 "
        "the other way; p = 0.200."
    ]


def test_a_sentence_per_rung_that_a_recipe_changes_over_seeds() -> None:
    row = {"recipe": "float32", "rung": "features", "seeds": 3, "default_mean": 0.9621}
    row |= {"default_standard_deviation": 0.0031, "mean": 0.9702, "standard_deviation": 0.0049}
    row |= {"difference": 0.0081, "ci_low": -0.0038, "ci_high": 0.0199}
    assert sentences.recipes_seeds(pd.DataFrame([row])) == [
        "float32, features: 97.0 ± 0.5 % on test instead of 96.2 ± 0.3, over 3 seeds; 95 % "
        "interval of the difference -0.4 to +2.0."
    ]


@pytest.mark.parametrize(("classes", "chance"), [(2, "50.0 %"), (3, "33.3 %"), (10, "10.0 %")])
def test_a_control_of_one_climb_names_chance_and_judges_no_rung(classes: int, chance: str) -> None:
    """One climb's answers are correlated: its interval says nothing of chance."""
    (lead,) = sentences.control(pd.DataFrame(), classes)
    assert lead.startswith("A control: train's labels were dealt out at random.")
    assert f"No rung can learn more than chance, {chance} on test." in lead
    assert "Read the mean over deals" in lead
    assert re.findall(r"\d+\.\d", lead) == [chance.split()[0]]  # neither a range nor an accuracy


def test_a_control_says_where_chance_lies_over_its_deals() -> None:
    rows = [
        ("scratch", 10, 0.49, 0.47, 0.53),
        ("features", 10, 0.535, 0.51, 0.56),
        ("features_augmented", 10, 0.45, 0.4, 0.49),
        ("fine_tuned", 10, 0.45, 0.4, 0.5),
    ]
    deals = pd.DataFrame(rows, columns=["rung", "seeds", "mean", "ci_low", "ci_high"])
    lead, *each = sentences.control(deals, 2)
    assert [lead] == sentences.control(pd.DataFrame(), 2)
    assert each == [
        "scratch: mean over 10 deals 49.0 %, 95 % interval 47.0 – 53.0; chance lies inside.",
        "features: mean over 10 deals 53.5 %, 95 % interval 51.0 – 56.0; chance lies outside.",
        "features_augmented: mean over 10 deals 45.0 %, 95 % interval 40.0 – 49.0; chance lies "
        "outside.",
        "fine_tuned: mean over 10 deals 45.0 %, 95 % interval 40.0 – 50.0; chance lies inside.",
    ]


def of_bases(*rows: tuple[str, float, int, int], pictures: int = 1000) -> pd.DataFrame:
    """Returns a row per base: name, pictures a second, how often it, the best is right alone."""
    names = ["base", "pictures_per_second", "right_alone", "best_right_alone"]
    frame = pd.DataFrame(rows, columns=names)
    difference = (frame["right_alone"] - frame["best_right_alone"]) / pictures
    return frame.assign(
        image_size=224,
        weights="keras",
        features=25088,
        pictures=pictures,
        validation_accuracy=0.9712,
        test_accuracy=0.9684,
        test_ci_low=0.9554,
        test_ci_high=0.9777,
        difference=difference,
        ci_low=difference - 0.008,
        ci_high=difference + 0.007,
        megabytes=58.86,
        seconds=1234.4,
    )


def test_the_table_of_bases_is_aligned_and_in_per_cent() -> None:
    frame = of_bases(("vgg16", 9.54, 0, 0), ("efficientnet_lite0", 1054.6, 4, 7))
    head, best, other = sentences.bases_table(frame).splitlines()
    assert len(head) == len(best) == len(other)
    assert best.split() == [
        *("vgg16", "224", "keras", "25,088", "97.1", "96.8", "95.5", "–", "97.8", "best", "9.5"),
        *("59", "1,234"),
    ]
    assert other.split()[9:-2] == ["-0.3", "(-1.1", "to", "+0.4)", "1,055"]


def test_the_fastest_base_that_is_surely_hardly_worse_is_advised() -> None:
    frame = of_bases(
        ("vgg16", 9.5, 0, 0), ("resnet50", 20.0, 8, 9), ("mobilenet", 90.0, 4, 7),
        ("mobilenet_v2", 120.0, 2, 80), ("convnext_tiny", 5.0, 3, 4),
    )  # fmt: skip
    assert sentences.bases_advice(frame, 2.0) == [
        "The best is vgg16 at 224 pixels, by validation accuracy, so that no test picture chose "
        "it.",
        "Take mobilenet at 224 pixels, the fastest that is surely less than 2 points worse: 90 "
        "pictures a second instead of 9.5, -0.3 points (-1.1 to +0.4) of test accuracy.",
    ]


def test_no_base_is_advised_that_is_worse_or_may_be() -> None:
    frame = of_bases(
        ("vgg16", 30.0, 0, 0), ("resnet50", 20.0, 4, 4),
        ("mobilenet", 90.0, 10, 25), ("mobilenet_v2", 120.0, 2, 80),
    )  # fmt: skip
    _, advice, open_one = sentences.bases_advice(frame, 2.0)
    assert advice == "Take it: none that is faster is surely less than 2 points worse."
    assert re.fullmatch(
        r"These 1,000 test pictures cannot tell whether mobilenet at 224 pixels, which is faster "
        r"\(90 pictures a second\), is less than 2 points worse: -1\.5 points \(-2\.3 to -0\.8\)\. "
        r"It would take about [\d,]+\.",
        open_one,
    )


def test_of_one_base_alone_nothing_is_said() -> None:
    assert sentences.bases_advice(of_bases(("vgg16", 9.5, 0, 0)), 2.0) == []
