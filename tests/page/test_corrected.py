"""Corrected labels on the page, and the file that it hands out in Chromium."""

from pathlib import Path

import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from test_page import PIXELS, content, manifest_of

from conftest import needs_chromium
from ladder import rungs
from ladder.page import corrected, page
from ladder.pictures import corrections

EFFECTS = pd.DataFrame(
    [
        ("elm/1.jpg", "relabel", "elm", "oak", ""),
        ("elm/2.jpg", "relabel", "elm", "oak", ""),
        ("oak/1.jpg", "keep", "oak", "oak", ""),
        ("oak/2.jpg", "drop", "oak", "oak", ""),
        *((f"{i}.jpg", "drop", "", "", "no such picture") for i in range(4)),
    ],
    columns=corrections.EFFECTS,
)


def test_a_summary_counts_what_is_decided_and_names_what_fits_nothing() -> None:
    assert corrected.summary(EFFECTS) == (
        "By corrections: 1 kept, 2 relabelled, 1 dropped. 4 fit no picture (no such picture): "
        "0.jpg, 1.jpg, 2.jpg …."
    )
    assert corrected.summary(EFFECTS.iloc[:0]) == ""


def test_accuracies_are_of_the_same_predictions_with_both_labels() -> None:
    # Test: elm/1 is an oak now, answered oak; oak/1 answered elm. Before: 0 of 2 right.
    manifest = pd.DataFrame(
        [
            ("a", "elm/1.jpg", "oak", "test"),
            ("b", "oak/1.jpg", "oak", "test"),
            ("c", "elm/2.jpg", "oak", "train"),
            ("d", "elm/3.jpg", "elm", "train"),
        ],
        columns=["id", "path", "class_name", "subset"],
    )
    frame = pd.DataFrame(
        {"id": ["a", "b"], "subset": "test", "label": 1, "probability": [0.9, 0.2]}
    )
    assert corrected.before({"features": frame}, manifest, EFFECTS) == {"features": (0.0, 0.5)}
    assert "features 0.0 → 50.0" in corrected.sentence({"features": (0.0, 0.5)})
    assert corrected.before({"features": frame}, manifest, EFFECTS.iloc[2:]) == {}
    assert corrected.sentence({}) == ""


NAMES = ["elm", 'oak, "old"', "<b>"]


@pytest.fixture
def saved(browser: webdriver.Chrome, tmp_path: Path) -> Path:
    """Decides on three of four suspects on the page, saves the file, and returns it."""
    picture = page.Picture([PIXELS], "a picture", "a picture")
    suspects = [
        page.Suspect(picture, f'{name}/"{i}", ü\n.jpg', f"{i}" * 64, name, NAMES[i - 1])
        for i, name in enumerate([*NAMES, "elm"])
    ]
    whole = content(tmp_path, manifest=manifest_of(NAMES), suspects=suspects)
    file = tmp_path / "ladder.html"
    file.write_text(page.build(whole), encoding="utf-8")
    downloads = {"behavior": "allow", "downloadPath": str(tmp_path / "downloads")}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", downloads)
    browser.get(file.as_uri())
    form = browser.find_element(By.ID, "corrections")
    output = form.find_element(By.TAG_NAME, "output")
    assert output.text == "0 of 4 decided"
    menus = [Select(each) for each in form.find_elements(By.TAG_NAME, "select")]
    for menu, text in zip(menus, ("keep elm", "relabel <b>", "drop"), strict=False):
        menu.select_by_visible_text(text)
    assert output.text == "3 of 4 decided"
    form.find_element(By.TAG_NAME, "button").click()
    path = tmp_path / "downloads/corrections.csv"
    WebDriverWait(browser, 30).until(lambda _: path.is_file())
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    return path


@pytest.mark.browser
@needs_chromium
def test_the_page_hands_out_the_decisions_without_a_server(saved: Path) -> None:
    table = corrections.read(saved.read_bytes(), saved.name)
    assert table.to_numpy().tolist() == [
        ['elm/"0", ü\n.jpg', "0" * 64, "keep", ""],
        ['oak, "old"/"1", ü\n.jpg', "1" * 64, "relabel", "<b>"],
        ['<b>/"2", ü\n.jpg', "2" * 64, "drop", ""],
    ]


def test_rungs_stand_in_their_order() -> None:
    accuracies = dict.fromkeys(rungs.RUNGS, (0.5, 0.6))
    text = corrected.sentence(accuracies)
    assert [text.index(rung + " ") for rung in rungs.RUNGS] == sorted(
        text.index(rung + " ") for rung in rungs.RUNGS
    )
