import dataclasses
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ladder import paths, provenance, rungs
from ladder.page import page, report

HOSTILE = "<script>alert('x')</script>"
PIXELS = np.full((8, 8, 3), 200, np.uint8)
ACCURACY = [0.7, 0.81, 0.91, 0.95, 0.961]


IDENTITY = provenance.Identity(
    params={
        "seed": 0,
        "dataset": {"source": "dogs_vs_cats", "note": HOSTILE},
        "split": {"shuffle_train_labels": False},
        "evaluation": {"margin_points": 2.0},
    },
    fingerprint="0123456789abcdef",
    policy="float32",
    tensorflow="2.21.0",
    keras="3.15.1",
)


def studies() -> report.Studies:
    """Returns what every study may leave."""
    return report.Studies(
        seeds_summary=pd.DataFrame(
            {
                "rung": rungs.RUNGS,
                "subset": "validation",
                "seeds": 5,
                "mean": ACCURACY,
                "standard_deviation": 0.012,
                "ci_low": 0.5,
                "ci_high": 0.99,
            }
        ),
        seeds_steps=pd.DataFrame(
            [("features", "scratch_augmented", 5, 0.1, 0.08, 0.12)],
            columns=["rung", "other", "seeds", "difference", "ci_low", "ci_high"],
        ),
        learning_curve_gains=pd.DataFrame(
            [("features", 1000, 2000, 0.018, 0.001, 0.035)],
            columns=["rung", "from_pictures", "to_pictures", "gain", "ci_low", "ci_high"],
        ),
        recipes=pd.DataFrame(
            {
                "recipe": ["end_to_end"],
                "rung": ["fine_tuned"],
                "accuracy": [0.9505],
                "ci_low": [0.94],
                "ci_high": [0.96],
                "compared_with": ["default"],
                "other_accuracy": [0.961],
                "recipe_right_alone": [7],
                "other_right_alone": [13],
                "p_value_holm": [0.26],
            }
        ),
        recipes_seeds=pd.DataFrame(
            {
                "recipe": ["float32"],
                "rung": ["features"],
                "seeds": [3],
                "default_mean": [0.9621],
                "default_standard_deviation": [0.0031],
                "mean": [0.9702],
                "standard_deviation": [0.0049],
                "difference": [0.0081],
                "ci_low": [-0.0038],
                "ci_high": [0.0199],
            }
        ),
        left_out=(f"{HOSTILE}/recipes is of another climb: policy: float32, mixed_bfloat16.",),
    )


def predictions(rung: rungs.Rung) -> pd.DataFrame:
    """Returns 1,000 answers: `fine_tuned` is always right, any other rung is not on 58."""
    frame = pd.DataFrame({"id": range(1000), "label": [0, 1] * 500, "subset": "test"})
    wrong = (frame["id"] < 58) & (rung != "fine_tuned")
    return frame.assign(probability=(frame["label"] ^ wrong).astype(float))


def reports() -> report.Reports:
    ladder = pd.DataFrame(
        {
            "rung": rungs.RUNGS,
            "book": [0.71, 0.82, 0.9, 0.96, 0.97],
            "validation_accuracy": ACCURACY,
            "test_accuracy": ACCURACY,
            "test_ci_low": [a - 0.01 for a in ACCURACY],
            "test_ci_high": [a + 0.01 for a in ACCURACY],
            "seconds": [10.0, 1200.4, 30.0, 40.0, 50.0],
            "seconds_alone": [10.0, 1200.4, 30.0, 70.0, 120.0],
            "test_accuracy_without_duplicates": [a - 0.001 for a in ACCURACY],
            "trainable_parameters": [3453121, 3453121, 2097665, 2097665, 9177089],
        }
    )
    best = {"family": "best", "other": "fine_tuned", "rung_right_alone": 1, "other_right_alone": 9}
    best |= {"difference": -0.058, "ci_low": -0.064, "ci_high": -0.052}
    rows = [
        {**best, "rung": rung, "pictures": 1000, "p_value_holm": 0.02, "distinguishable": True}
        for rung in rungs.RUNGS[:-1]
    ]
    for other, rung in itertools.pairwise(rungs.RUNGS):
        step = {"family": "neighbours", "rung": rung, "other": other, "p_value_holm": 0.0004}
        rows.append({**best, **step, "pictures": 1000, "distinguishable": True})
    book = pd.DataFrame(
        {
            "rung": rungs.RUNGS,
            "book": ladder["book"],
            "subset": "validation",
            "notebook": "5.2",
            "accuracy": ACCURACY,
            "ci_low": 0.5,
            "ci_high": 0.99,
            "verdict": "inside",
        }
    )
    return report.Reports(
        source="dogs_vs_cats",
        identity=IDENTITY,
        ladder=ladder,
        paired=pd.DataFrame(rows),
        book=book,
        calibration=pd.DataFrame(),
        duplicates=pd.DataFrame(
            [("a.1", "train", f"{HOSTILE}.7", "test", "near")] * 12,
            columns=["id", "subset", "other_id", "other_subset", "kind"],
        ),
        suspects=pd.DataFrame({"id": ["a.1", "a.2", "a.3"]}),
        planted=pd.DataFrame(
            [("label turned", 60, 51, 9)], columns=["planted", "number", "found", "besides"]
        ),
        predictions={rung: predictions(rung) for rung in rungs.RUNGS},
        runtimes={"scratch": {"policy": "float32", "threads": "2"}},
        studies=studies(),
    )


def content(folder: Path, **changes: Any) -> page.Content:
    """Returns all that a page may show; `changes` are of its reports, or its figures."""
    figures = {name: folder / f"{name}.png" for name in page.CAPTIONS}
    for path in figures.values():
        Image.fromarray(PIXELS).save(path)
    manifest = pd.DataFrame(
        [
            (subset, name, label)
            for subset in paths.SUBSETS
            for label, name in enumerate((HOSTILE, "cat"))
            for _ in range(3)
        ],
        columns=["subset", "class_name", "label"],
    )
    picture = page.Picture([PIXELS, PIXELS], f"{HOSTILE} taken for cat", f"{HOSTILE} & more")
    return page.Content(
        figures=changes.pop("figures", figures),
        reports=dataclasses.replace(reports(), **changes),
        manifest=manifest,
        quarantine=pd.DataFrame({"path": [f"{HOSTILE}.jpg"], "reason": ["cut"]}),
        galleries=page.Galleries(
            mistakes={rung: [picture] for rung in rungs.RUNGS},
            example=[picture],
            everywhere=[],
            suspects=[picture],
            views=[picture],
        ),
    )


class Reader(HTMLParser):
    """Gathers tags with their attributes, and the text of every cell."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


def test_the_page_shows_every_rung_and_its_numbers(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    for rung, accuracy in zip(rungs.RUNGS, ("70.0", "81.0", "91.0", "95.0", "96.1"), strict=True):
        row = html[html.index(f'data-rung="{rung}"') :].partition("</tr>")[0]
        assert f'<td class="test">{accuracy}</td>' in row
    text = Reader(html).text
    assert {"+11.0", "1,200", "9,177,089", "&lt; 0.001"} <= {*text, *re.findall("&lt; 0.001", html)}
    assert "Against the book" in text


def test_nothing_comes_from_elsewhere_and_nothing_runs(tmp_path: Path) -> None:
    tags = Reader(page.build(content(tmp_path))).tags
    sources = [attributes["src"] or "" for _, attributes in tags if "src" in attributes]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    links = [attributes["href"] or "" for _, attributes in tags if "href" in attributes]
    assert all(link.startswith("#") for link in links)
    ids = {attributes.get("id") for _, attributes in tags}
    assert {link[1:] for link in links} <= ids
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in tags}


def test_names_are_escaped_wherever_they_stand(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 5


def test_every_picture_has_a_text_in_its_place(tmp_path: Path) -> None:
    tags = Reader(page.build(content(tmp_path))).tags
    assert all((attributes.get("alt") or "") for tag, attributes in tags if tag == "img")


def test_pictures_that_are_not_the_books_have_no_book(tmp_path: Path) -> None:
    ours = reports()
    changes = {"ladder": ours.ladder.assign(book=np.nan), "book": ours.book.iloc[:0]}
    html = page.build(content(tmp_path, **changes))
    assert "Against the book" not in html
    assert "the book</th>" not in html


@pytest.mark.parametrize(
    ("absent", "title"),
    [("seeds", "The same with other seeds"), ("learning_curve", "Would more labels help?")],
)
def test_a_study_that_was_not_made_is_not_shown(tmp_path: Path, absent: str, title: str) -> None:
    assert f"<h2>{title}</h2>" in page.build(content(tmp_path))
    figures = {n: p for n, p in content(tmp_path).figures.items() if n != absent}
    assert f"<h2>{title}</h2>" not in page.build(content(tmp_path, figures=figures))


def test_means_over_seeds_stand_in_a_table(tmp_path: Path) -> None:
    cells = Reader(page.build(content(tmp_path))).text
    assert {"70.0 ± 1.2", "96.1 ± 1.2", "50.0 – 99.0"} <= set(cells)
    step = "features over scratch_augmented: +10.0 points (+8.0 to +12.0) of test accuracy, over 5"
    assert f"{step} seeds." in cells


def test_the_learning_curve_answers_its_question(tmp_path: Path) -> None:
    cells = Reader(page.build(content(tmp_path))).text
    gain = (
        "features: 1,000 → 2,000 train pictures, +1.8 points (+0.1 to +3.5): more labels helped, "
        "with this seed."
    )
    assert gain in cells


def with_studies(**changes: Any) -> report.Studies:
    return dataclasses.replace(studies(), **changes)


def test_recipes_stand_beside_this_climb(tmp_path: Path) -> None:
    cells = Reader(page.build(content(tmp_path))).text
    assert {"end_to_end", "95.0", "default", "96.1", "7 : 13", "= 0.260"} <= set(cells)
    assert {"float32", "96.2 ± 0.3", "97.0 ± 0.5", "+0.8", "-0.4 to +2.0"} <= set(cells)
    one = page.build(content(tmp_path, studies=with_studies(recipes=pd.DataFrame())))
    assert one.count("Other recipes") == 2  # its heading, and the way there
    assert "Holm" not in one.split("Other recipes")[-1].split("</section>")[0]
    none = with_studies(recipes=pd.DataFrame(), recipes_seeds=pd.DataFrame())
    assert "Other recipes" not in page.build(content(tmp_path, studies=none))


def test_what_is_of_another_climb_is_named_with_its_reason(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    assert "Not shown:" in html
    assert "/recipes is of another climb: policy: float32, mixed_bfloat16." in html
    assert "Not shown:" not in page.build(content(tmp_path, studies=with_studies(left_out=())))


def test_the_advice_and_the_steps_stand_below_the_ladder(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    advice = "fine_tuned is best on test, and every cheaper rung is surely more than 2 points worse"
    assert f"<strong>{advice} than another: 120 s.</strong>" in html
    assert html.count("is distinguishable from") == 4
    assert "A control" not in html


def test_a_control_says_that_it_is_one_and_advises_no_rung(tmp_path: Path) -> None:
    split = {"split": {"shuffle_train_labels": 1}}
    identity = dataclasses.replace(IDENTITY, params={**IDENTITY.params, **split})
    html = page.build(content(tmp_path, identity=identity))
    assert "<strong>A control: train&#39;s labels were dealt out at random." in html
    assert "is best on test" not in html
    assert "is distinguishable from" not in html
    assert "over 5 deals" not in html  # nothing of seeds on validation
    deals = with_studies(seeds_summary=studies().seeds_summary.assign(subset="test"))
    html = page.build(content(tmp_path, identity=identity, studies=deals))
    assert html.count("mean over 5 deals") == 5


def test_all_parameters_and_the_fingerprint_of_the_code_are_there(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    assert "<code>0123456789abcdef</code>" in html
    assert "margin_points: 2.0" in html.split("All parameters")[1]


def test_the_first_duplicates_are_listed_and_the_accuracy_without_them(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    assert html.count("a.1 (train) and") == 10
    assert "12 pairs of pictures" in html
    assert "per cent: scratch 69.9, scratch_augmented 80.9," in html
    without = page.build(content(tmp_path, duplicates=pd.DataFrame()))
    assert "without the pictures concerned" not in without
    assert "right on 50.0 % of test" in without


def test_what_the_audit_finds_of_planted_faults_is_shown(tmp_path: Path) -> None:
    row = "<td>label turned</td><td>60</td><td>51</td><td>9</td>"
    assert row in page.build(content(tmp_path))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "No label suspected."), (1, "1 label suspected."), (2, "2 labels suspected.")],
)
def test_counts_are_sentences(count: int, expected: str) -> None:
    assert page._counted(count, "label", "suspected") == expected


def test_rungs_of_one_machine_share_a_line() -> None:
    one, other = {"policy": "float32", "threads": "2"}, {"policy": "float32", "threads": "4"}
    lines = page.runtimes({"scratch": one, "features": one, "fine_tuned": other})
    assert lines == [
        "scratch, features: policy float32, threads 2",
        "fine_tuned: policy float32, threads 4",
    ]


@pytest.mark.parametrize("source", ["cifar10", "dogs_vs_cats"])
def test_commands_are_apart_from_what_they_do(source: str) -> None:
    lines = page.commands(source).splitlines()
    assert len({line.index("#") for line in lines}) == 1
    assert all(" #" in line for line in lines)


def test_a_title_tells_what_the_pictures_are() -> None:
    assert page.title("cifar10", ["cat", "dog"]) == "CIFAR-10's cats and dogs"
    assert page.title("dogs_vs_cats", ["cat", "dog"]) == "photographs of cats and dogs"
    assert page.title("dogs_vs_cats", ["ash", "elm", "oak"]) == "pictures of ash, elm and oak"
