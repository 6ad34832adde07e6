import base64
import dataclasses
import hashlib
import html as markup
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
from ladder.evidence import evaluation, tables
from ladder.page import examined, page, report
from ladder.pictures import corrections

HOSTILE = "<script>alert('x')</script>"
PIXELS = np.full((8, 8, 3), 200, np.uint8)
PATH = f'{HOSTILE}/"1".jpg'
ACCURACY = [0.7, 0.81, 0.91, 0.95, 0.961]


IDENTITY = provenance.Identity(
    params={
        "seed": 0,
        "dataset": {"source": "dogs_vs_cats", "note": HOSTILE},
        "split": {"shuffle_train_labels": False, "corrections": None},
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
        bases=pd.DataFrame(
            {
                "base": ["vgg16", "mobilenet"],
                "image_size": [96, 224],
                "weights": ["torchvision", "keras"],
                "features": [4608, 1024],
                "pictures": 1000,
                "validation_accuracy": [0.981, 0.9768],
                "test_accuracy": [0.972, 0.969],
                "test_ci_low": [0.9598, 0.9564],
                "test_ci_high": [0.9806, 0.9781],
                "right_alone": [0, 4],
                "best_right_alone": [0, 7],
                "difference": [0.0, -0.003],
                "ci_low": [0.0, -0.0096],
                "ci_high": [0.0, 0.0036],
                "pictures_per_second": [9.5, 91.3],
                "megabytes": [58.9, 12.9],
                "seconds": [1234.0, 61.0],
            }
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
        name="dogs_vs_cats",
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
        classes=tables.classes({rung: predictions(rung) for rung in rungs.RUNGS}, [HOSTILE, "cat"]),
        baseline=evaluation.baseline(manifest_of([HOSTILE, "cat"], 3)),
    )


def manifest_of(names: list[str], count: int = 1) -> pd.DataFrame:
    """Returns a manifest with so many pictures a class and subset, each a group of its own."""
    rows = [
        (subset, name, label, f"{name}/{subset}.{number}.jpg")
        for subset in paths.SUBSETS
        for label, name in enumerate(names)
        for number in range(count)
    ]
    frame = pd.DataFrame(rows, columns=["subset", "class_name", "label", "path"])
    return frame.assign(id=frame["path"], duplicate_group=range(len(frame)))


def without_last(names: list[str]) -> pd.DataFrame:
    """Returns a manifest of one picture a class and subset, but for the last class in test."""
    return manifest_of(names).iloc[:-1]


def examination_of(manifest: pd.DataFrame) -> examined.Examination:
    """Returns the tables of pictures that have nothing odd."""
    return examined.Examination(
        pictures=manifest[["path"]].assign(reason="", format="JPEG", width=40, height=30),
        findings=pd.DataFrame(columns=["path", "finding", "value", "detail"]),
        by_class=pd.DataFrame(
            [("width", 0.0, "cat", "median 40 (cat) to 40 (cat)")],
            columns=["property", "score", "class_name", "detail"],
        ),
    )


def content(folder: Path, **changes: Any) -> page.Content:
    """Returns all that a page may show; `changes` are of its reports, figures or manifest."""
    figures = {name: folder / f"{name}.png" for name in page.CAPTIONS}
    for path in figures.values():
        Image.fromarray(PIXELS).save(path)
    manifest = changes.pop("manifest", manifest_of([HOSTILE, "cat"], 3))
    picture = page.Picture([PIXELS, PIXELS], f"{HOSTILE} taken for cat", f"{HOSTILE} & more")
    return page.Content(
        figures=changes.pop("figures", figures),
        manifest=manifest,
        quarantine=pd.DataFrame({"path": [f"{HOSTILE}.jpg"], "reason": ["cut"]}),
        examination=changes.pop("examination", examination_of(manifest)),
        galleries=page.Galleries(
            mistakes={rung: [picture] for rung in rungs.RUNGS},
            example=[picture],
            everywhere=[],
            suspects=changes.pop(
                "suspects", [page.Suspect(picture, PATH, "0" * 64, HOSTILE, "cat")]
            ),
            views=[picture],
        ),
        effects=changes.pop("effects", corrections.no_effects()),
        reports=dataclasses.replace(reports(), **changes),
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


def test_nothing_comes_from_elsewhere_and_one_script_may_run(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    tags = Reader(html).tags
    sources = [attributes["src"] or "" for _, attributes in tags if "src" in attributes]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    links = [attributes["href"] or "" for _, attributes in tags if "href" in attributes]
    assert all(link.startswith("#") for link in links)
    ids = {attributes.get("id") for _, attributes in tags}
    assert {link[1:] for link in links} <= ids
    assert not {"link", "iframe", "object"} & {tag for tag, _ in tags}
    (script,) = re.findall("<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in html.replace("&#39;", "'")
    without = page.build(content(tmp_path, suspects=[]))
    assert "<script>" not in without
    assert "script-src 'none'" in without.replace("&#39;", "'")


def test_names_are_escaped_wherever_they_stand(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    assert "<script>alert" not in html
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


def test_other_bases_stand_with_which_one_to_take(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    cells = Reader(html).text
    assert {"mobilenet", "4,608", "98.1", "96.9", "-0.3 (-1.0 to +0.4)", "91", "59"} <= {*cells}
    assert any(text.startswith("Take mobilenet at 224 pixels, the fastest") for text in cells)
    assert html.count("Other bases") == 2  # its heading, and the way there
    none = page.build(content(tmp_path, studies=with_studies(bases=pd.DataFrame())))
    assert "Other bases" not in none
    assert 'id="bases"' not in none


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


def test_each_suspect_can_be_kept_relabelled_or_dropped(tmp_path: Path) -> None:
    tags = Reader(page.build(content(tmp_path, manifest=manifest_of([HOSTILE, "cat", "dog"])))).tags
    (select,) = (attributes for tag, attributes in tags if tag == "select")
    assert (select["data-path"], select["data-sha256"]) == (PATH, "0" * 64)
    options = [attributes for tag, attributes in tags if tag == "option"]
    decisions = [(each["value"], each.get("data-class-name")) for each in options]
    assert decisions == [
        *(("", None), ("keep", None), ("relabel", "cat"), ("drop", None), ("relabel", "dog"))
    ]


def test_what_corrections_changed_is_said(tmp_path: Path) -> None:
    manifest = manifest_of(["ash", "cat"], 500).assign(id=range(3000))
    test = manifest[manifest["subset"] == "test"]
    by_rung: dict[rungs.Rung, pd.DataFrame] = {
        rung: test[["id", "label", "subset"]].assign(probability=test["label"].astype(float))
        for rung in rungs.RUNGS
    }
    effects = pd.DataFrame(
        [
            ("cat/test.0.jpg", "relabel", "ash", "cat", ""),
            ("cat/test.1.jpg", "relabel", "ash", "cat", ""),
            ("cat/train.1.jpg", "keep", "cat", "cat", ""),
            ("gone.jpg", "drop", "", "", "no such picture"),
            ("ash/<b>.jpg", "drop", "ash", "ash", ""),
        ],
        columns=corrections.EFFECTS,
    )
    suspects = pd.DataFrame({"id": manifest.loc[manifest["path"] == "cat/train.1.jpg", "id"]})
    whole = content(tmp_path, manifest=manifest, predictions=by_rung, effects=effects, suspects=[])
    reports = dataclasses.replace(whole.reports, suspects=suspects)
    html = page.build(dataclasses.replace(whole, reports=reports))
    assert "1 label suspected to be wrong. Of 1 you have decided already." in html
    assert (
        "By corrections: 1 kept, 2 relabelled, 1 dropped. 1 fit no picture (no such picture): "
        "gone.jpg." in html
    )
    assert "Dropped: <code>ash/&lt;b&gt;.jpg</code>." in html
    assert "in per cent: scratch 99.8 → 100.0," in html  # 998 and 1,000 of 1,000


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


@pytest.mark.parametrize("source", ["cifar10", "dogs_vs_cats", "folder"])
def test_commands_are_apart_from_what_they_do(source: str) -> None:
    lines = page.commands(source, "trees").splitlines()
    assert len({line.index("#") for line in lines}) == 1
    assert all(" #" in line for line in lines)


def test_a_title_tells_what_the_pictures_are() -> None:
    two, three = ["cat", "dog"], ["ash", "elm", "oak"]
    assert page.title("cifar10", "cifar10", two) == "CIFAR-10's cats and dogs"
    assert page.title("dogs_vs_cats", "dogs_vs_cats", two) == "photographs of cats and dogs"
    assert page.title("dogs_vs_cats", "trees", three) == "pictures of ash, elm and oak"
    assert page.title("folder", "pets", two) == "pets (cat and dog)"
    assert page.title("folder", "things", [f"c{i}" for i in range(100)]) == "things (100 classes)"


@pytest.mark.parametrize("classes", [5, 60])
def test_names_of_any_kind_and_number_stand_whole_and_escaped(tmp_path: Path, classes: int) -> None:
    odd = ["$y$", "<b>x</b> & $y$", "\U0001d800猫", "العربية", "a name that goes " * 9 + "on"]
    names = sorted([*odd, *(f"c{i}" for i in range(classes - len(odd)))])
    html = page.build(content(tmp_path, manifest=without_last(names)))
    cells = Reader(html).text
    assert set(names) <= set(cells)
    assert "<b>" not in html
    (image,) = [
        attributes
        for tag, attributes in Reader(html).tags
        if tag == "img" and (attributes["alt"] or "").startswith("Test pictures by true")
    ]
    if classes == 5:
        assert "is “\U0001d800猫”" in (image["alt"] or "")
        assert odd[-1] in (image["alt"] or "")
        assert any(odd[-1] in text for text in cells if text.startswith("Test pictures by true"))
    else:
        assert "Of 60 classes, in alphabetical order, one in 5 is named." in (image["alt"] or "")


def test_curves_of_many_classes_are_said_to_be_their_mean(tmp_path: Path) -> None:
    many = content(tmp_path, manifest=without_last([f"c{i:02d}" for i in range(30)]))
    assert page.build(many).count("The mean over the classes, each against the rest.") == 2
    assert "The mean over the classes" not in page.build(content(tmp_path))
    assert 'class="wide long" tabindex="0"' in page.build(many)


def test_where_all_test_pictures_are_duplicates_it_is_said(tmp_path: Path) -> None:
    ladder = reports().ladder.assign(test_accuracy_without_duplicates=np.nan)
    html = page.build(content(tmp_path, ladder=ladder))
    assert "All test pictures are concerned: there is no test accuracy without them." in html


# Three classes, 40, 8 and 2 of them in test; `fine_tuned` is right but for 4 oaks and an elm.
TREES = ["ash", "elm", "oak"]
IN_TEST = [8, 2, 40]


def of_trees(rung: rungs.Rung) -> pd.DataFrame:
    """Returns every rung's answers to validation and test: before the last it is oak alone."""
    labels = np.repeat(range(3), IN_TEST)
    answers = labels.copy()
    answers[[8, 46, 47, 48, 49]] = [2, 0, 0, 0, 0]
    if rung != "fine_tuned":
        answers[:] = 2
    columns = {f"probability_{i}": np.eye(3)[answers][:, i] for i in range(3)}
    frame = pd.DataFrame({"id": range(50), "label": labels, **columns})
    return pd.concat([frame.assign(subset=subset) for subset in ("validation", "test")])


def trees(folder: Path, **changes: Any) -> page.Content:
    """Returns a page's content of three unequal classes."""
    parts = [manifest_of(TREES, n).iloc[: 3 * 3 * n] for n in IN_TEST]
    manifest = pd.concat(
        [part[part["class_name"] == name] for part, name in zip(parts, TREES, strict=True)],
        ignore_index=True,
    )
    manifest["duplicate_group"] = [0, 0, *range(1, len(manifest) - 1)]
    by_rung: dict[rungs.Rung, pd.DataFrame] = {rung: of_trees(rung) for rung in rungs.RUNGS}
    identity = dataclasses.replace(
        IDENTITY, params={**IDENTITY.params, "dataset": {"source": "folder"}}
    )
    whole = {
        "manifest": manifest,
        "name": "trees",
        "source": "folder",
        "identity": identity,
        "book": reports().book.iloc[:0],
        "ladder": reports().ladder.assign(book=np.nan),
        "predictions": by_rung,
        "classes": tables.classes(by_rung, TREES),
        "baseline": evaluation.baseline(manifest),
    }
    return content(folder, **(whole | changes))


def rows_of(html: str, section: str) -> list[list[str]]:
    """Returns the cells of every row of a section's tables, as they stand in HTML."""
    part = html.split(f'<section id="{section}">')[1].split("</section>")[0]
    return [re.findall("<td[^>]*>(.*?)</td>", row) for row in part.split("<tr")[1:]]


def test_unequal_classes_stand_beside_the_baseline_with_balanced_accuracy(tmp_path: Path) -> None:
    html = page.build(trees(tmp_path))
    rows = rows_of(html, "ladder")
    # scratch has one class right of three: F1 of oak is 2 · 0.8 / 1.8
    assert rows[1][:6] == [
        "scratch",
        "70.0",
        "70.0",
        "69.0 – 71.0",
        "33.3",
        f"{8 / 9 / 3:.1%}"[:-1],
    ]
    # fine_tuned: recalls 1, 1/2 and 36/40
    assert rows[5][4] == f"{100 * (1 + 0.5 + 0.9) / 3:.1f}"
    assert rows[6][:6] == ["always oak", "80.0", "80.0", "67.0 – 88.8", "33.3", "29.6"]
    assert len({len(row) for row in rows[1:]}) == 1
    assert "the least that a\nnetwork must beat" in html
    assert html.count("always oak") == 1
    assert "<h1>The ladder on trees (ash, elm and oak)</h1>" in html


def test_without_a_baseline_there_is_balanced_accuracy_alone(tmp_path: Path) -> None:
    html = page.build(trees(tmp_path, baseline=pd.DataFrame()))
    assert "always oak" not in html
    assert "must beat" not in html
    assert rows_of(html, "ladder")[1][4] == "33.3"
    plain = page.build(content(tmp_path, baseline=pd.DataFrame()))
    assert "Always answering" not in plain


def test_two_equal_classes_have_no_balanced_accuracy(tmp_path: Path) -> None:
    html = page.build(content(tmp_path))
    assert "balanced accuracy" not in html
    assert 'id="baseline"' not in html


def test_the_classes_of_the_advised_rung_stand_with_their_recall(tmp_path: Path) -> None:
    html = page.build(trees(tmp_path))
    assert "The classes of fine_tuned on test:" in html
    assert rows_of(html, "classes")[1:] == [
        ["ash", "8", "8", "100.0", "67.6 – 100.0", "66.7", "–"],
        ["elm", "2", "1", "50.0", "9.5 – 90.5", "100.0", "oak"],
        ["oak", "40", "36", "90.0", "76.9 – 96.0", "97.3", "ash"],
    ]
    assert "<details><summary>The other" not in html
    assert "The classes of" not in page.build(trees(tmp_path, classes=pd.DataFrame()))


def test_of_many_classes_the_worst_are_shown_and_the_rest_folded_away(tmp_path: Path) -> None:
    names = [f"c{i:02d}" for i in range(30)]
    labels = np.repeat(range(30), 2)
    answers = np.where(np.arange(60) % 2, labels, np.maximum(labels, 3))  # 0, 1, 2 half right
    columns = {f"probability_{i}": np.eye(30)[answers][:, i] for i in range(30)}
    frame = pd.DataFrame({"id": range(60), "label": labels, **columns, "subset": "test"})
    by_rung: dict[rungs.Rung, pd.DataFrame] = dict.fromkeys(rungs.RUNGS, frame)
    classes = tables.classes(by_rung, names)
    html = page.build(trees(tmp_path, predictions=by_rung, classes=classes))
    assert "those of the lowest recall first" in html
    shown, folded = html.split("<summary>The other 20 classes</summary>")
    assert [row[0] for row in rows_of(shown, "classes")[1:4]] == ["c00", "c01", "c02"]
    assert {f"<td>{name}</td>" for name in names[10:]} <= set(re.findall("<td>c..</td>", folded))


def test_a_control_has_no_advised_rung(tmp_path: Path) -> None:
    params = {**IDENTITY.params, "split": {"shuffle_train_labels": 1}}
    html = page.build(content(tmp_path, identity=dataclasses.replace(IDENTITY, params=params)))
    assert "The classes of" not in html


def test_what_split_saw_of_the_pictures_is_said(tmp_path: Path) -> None:
    plain = trees(tmp_path)
    names = plain.manifest["path"].tolist()
    findings = pd.DataFrame(
        [(names[i], "blurry", 5.0 + i, "sharpness below 20") for i in range(4)]
        + [("left/out.jpg", "damaged", np.nan, "wrong checksum")]
        + [(name, "tiny", 30.0, "shorter side below 32") for name in names],
        columns=["path", "finding", "value", "detail"],
    )
    examination = dataclasses.replace(
        plain.examination,
        findings=findings,
        by_class=pd.DataFrame(
            [
                ("bytes_per_pixel", 0.93, "oak", f"median 1 (ash) to 3 ({HOSTILE})"),
                ("width", 0.49, "ash", "median 30 (oak) to 40 (ash)"),
            ],
            columns=["property", "score", "class_name", "detail"],
        ),
    )
    blurry = page.Picture([PIXELS], names[0], f"{names[0]}: blurry")
    galleries = dataclasses.replace(plain.galleries, odd={"blurry": [blurry], "damaged": []})
    html = page.build(dataclasses.replace(plain, examination=examination, galleries=galleries))
    text = html.split('<section id="data">')[1]
    assert "150 pictures can be read: JPEG 150; all of 40 × 30 pixels." in text
    assert "1 picture put aside." in text
    assert f"<li>cut (1):\n<code>{HOSTILE}.jpg</code></li>" in markup.unescape(text)
    assert "4 pictures are blurry (sharpness below 20)." in text
    assert f'alt="{names[0]}: blurry"' in text
    assert "1 picture is damaged (wrong checksum). <code>left/out.jpg</code></p>" in text
    assert "<p>All 150 pictures are tiny (shorter side below 32).</p>" in text
    assert "Bytes per pixel alone tells oak from the rest (score 0.93, where 1 is" in text
    assert "Width alone" not in text
    assert "<script>alert" not in text
    assert "Fewer than 20 test pictures: elm (2), ash (8)." in text
    assert "The largest class, oak, has 120 pictures, the smallest, elm, 6." in text
    assert "2 pictures are in 1 group (near duplicates, or one value of split.group)." in text


def test_pictures_that_have_nothing_odd_take_few_lines(tmp_path: Path) -> None:
    text = page.build(content(tmp_path)).split('<section id="data">')[1]
    assert "<p>Nothing: no picture is blank, dark, " in text
    assert "No property of the files, such as size, format or brightness, gives a class" in text
    assert "No two pictures share a group (equal bytes)." in text
