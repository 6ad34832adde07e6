import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ladder import paths, rungs
from ladder.page import page

HOSTILE = "<script>alert('x')</script>"
PIXELS = np.full((8, 8, 3), 200, np.uint8)
ACCURACY = [0.7, 0.81, 0.91, 0.95, 0.961]


def content(folder: Path, **changes: Any) -> page.Content:
    names = [*page.CAPTIONS]
    for name in names:
        Image.fromarray(PIXELS).save(folder / f"{name}.png")
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
    best |= {"difference": -0.008, "ci_low": -0.014, "ci_high": -0.002}
    rows = [
        {**best, "rung": rung, "pictures": 1000, "p_value_holm": 0.02, "distinguishable": True}
        for rung in rungs.RUNGS[:-1]
    ]
    for other, rung in zip(rungs.RUNGS, rungs.RUNGS[1:], strict=False):
        told = {"family": "neighbours", "rung": rung, "other": other, "p_value_holm": 0.0004}
        rows.append({**best, **told, "pictures": 1000, "distinguishable": True})
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
    manifest = pd.DataFrame(
        [(s, c) for s in paths.SUBSETS for c in ("cat", HOSTILE) for _ in range(3)],
        columns=["subset", "class_name"],
    )
    picture = page.Picture([PIXELS, PIXELS], f"{HOSTILE} taken for cat", f"{HOSTILE} & more")
    made: dict[str, Any] = {
        "source": "dogs_vs_cats",
        "params": f"seed: 0  # {HOSTILE}",
        "class_names": ["cat", HOSTILE],
        "ladder": ladder,
        "paired": pd.DataFrame(rows),
        "book": book,
        "manifest": manifest,
        "quarantine": pd.DataFrame({"path": [f"{HOSTILE}.jpg"], "reason": ["cut"]}),
        "duplicates": pd.DataFrame(
            [("a.1", "train", f"{HOSTILE}.7", "test", "near")] * 12,
            columns=["id", "subset", "other_id", "other_subset", "kind"],
        ),
        "planted": pd.DataFrame(
            [("label turned", 60, 51, 9)], columns=["planted", "number", "found", "besides"]
        ),
        "majority": 0.5,
        "control": "",
        "seeds": pd.DataFrame(
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
        "seeds_steps": pd.DataFrame(
            [("features", "scratch_augmented", 5, 0.1, 0.08, 0.12)],
            columns=["rung", "other", "seeds", "difference", "ci_low", "ci_high"],
        ),
        "gains": pd.DataFrame(
            [("features", 1000, 2000, 0.018, 0.001, 0.035)],
            columns=["rung", "from_pictures", "to_pictures", "gain", "ci_low", "ci_high"],
        ),
        "recipes": pd.DataFrame(
            {
                "recipe": ["end_to_end"],
                "rung": ["fine_tuned"],
                "accuracy": [0.9505],
                "ci_low": [0.94],
                "ci_high": [0.96],
                "beside": ["default"],
                "beside_accuracy": [0.961],
                "recipe_right_alone": [7],
                "beside_right_alone": [13],
                "p_value_holm": [0.26],
            }
        ),
        "recipes_seeds": pd.DataFrame(
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
        "runtimes": {"scratch": {"policy": "float32", "threads": "2"}},
        "figures": {name: folder / f"{name}.png" for name in names},
        "mistakes": {rung: [picture] for rung in rungs.RUNGS},
        "example": [picture],
        "everywhere": [],
        "suspects": [picture],
        "suspected": 3,
        "views": [picture],
    }
    return page.Content(**{**made, **changes})


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
    made = content(tmp_path)
    without = made.ladder.assign(book=np.nan)
    html = page.build(content(tmp_path, ladder=without, book=made.book.iloc[:0]))
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
    told = "features over scratch_augmented: +10.0 points (+8.0 to +12.0) of test accuracy, over 5"
    assert f"{told} seeds." in cells


def test_the_learning_curve_answers_its_question(tmp_path: Path) -> None:
    cells = Reader(page.build(content(tmp_path))).text
    told = (
        "features: 1,000 → 2,000 train pictures, +1.8 points (+0.1 to +3.5): more labels helped, "
        "with this seed."
    )
    assert told in cells


def test_recipes_stand_beside_this_climb(tmp_path: Path) -> None:
    cells = Reader(page.build(content(tmp_path))).text
    assert {"end_to_end", "95.0", "default", "96.1", "7 : 13", "= 0.260"} <= set(cells)
    assert {"float32", "96.2 ± 0.3", "97.0 ± 0.5", "+0.8", "-0.4 to +2.0"} <= set(cells)
    one = page.build(content(tmp_path, recipes=pd.DataFrame()))
    assert one.count("Climbed otherwise") == 2  # its heading, and the way there
    assert "Holm" not in one.split("Climbed otherwise")[-1].split("</section>")[0]
    none = content(tmp_path, recipes=pd.DataFrame(), recipes_seeds=pd.DataFrame())
    assert "Climbed otherwise" not in page.build(none)


def test_a_control_says_that_it_is_one(tmp_path: Path) -> None:
    assert "A control: chance." in page.build(content(tmp_path, control="A control: chance."))


def test_the_first_duplicates_are_listed_and_the_accuracy_without_them(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    assert html.count("a.1 (train) and") == 10
    assert "12 pairs of pictures" in html
    assert "per cent: scratch 69.9, scratch_augmented 80.9," in html
    without = page.build(content(tmp_path, duplicates=pd.DataFrame()))
    assert "without the pictures concerned" not in without
    assert "right on 50.0 % of test" in without


def test_what_the_audit_finds_of_planted_faults_is_told(tmp_path: Path) -> None:
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
    found = page.runtimes({"scratch": one, "features": one, "fine_tuned": other})
    assert found == [
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
