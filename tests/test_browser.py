"""The page, MLflow's UI and the demo as a person sees them, in Chromium."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

import tiny_model
from conftest import needs_chromium
from ladder import artifacts, paths, rungs
from ladder.page import demo_app
from ladder.pictures import drawing

pytestmark = [pytest.mark.browser, needs_chromium]


def requested(browser: webdriver.Chrome) -> list[str]:
    """Returns the addresses that were asked for since the last time."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]  # type: ignore[no-untyped-call]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [params["request"]["url"] for params in sent]


def test_the_page_shows_the_climb_and_asks_for_nothing(
    climbed: Path, browser: webdriver.Chrome
) -> None:
    page = climbed / "reports/dogs_vs_cats/ladder.html"
    assert page.stat().st_size < 5_000_000
    requested(browser)
    browser.get(page.as_uri())
    rows = browser.find_elements(By.CSS_SELECTOR, "#rungs tbody tr")
    assert [row.get_attribute("data-rung") for row in rows] == list(rungs.RUNGS)
    for row, rung in zip(rows, rungs.RUNGS, strict=True):
        shown = row.find_element(By.CSS_SELECTOR, ".test").text
        metrics = artifacts.read_json(climbed / paths.metrics(rung))
        assert shown == f"{100 * metrics['test']:.1f}"
    images = browser.find_elements(By.TAG_NAME, "img")
    drawn = [image.get_property("naturalWidth") for image in images]
    assert len(drawn) > 20
    assert all(isinstance(width, int) and width > 0 for width in drawn)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    assert {url.partition(":")[0] for url in requested(browser)} == {"file", "data"}


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1400, 1000)])
def test_the_page_fits_a_phone_and_a_desk(
    climbed: Path, browser: webdriver.Chrome, width: int, height: int
) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((climbed / "reports/dogs_vs_cats/ladder.html").as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def ui(climbed: Path) -> Iterator[str]:
    """Starts `make ui` in the copy and gives the address that it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    server = subprocess.Popen(
        [sys.executable, "-m", "ladder.cli", "ui"],
        cwd=climbed,
        env=environment | {"PORT": str(port), "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("dogs_vs_cats: http://127.0.0.1:")
    until = time.monotonic() + 120
    while not listens(port) and time.monotonic() < until:
        time.sleep(0.5)
    yield line.partition(": ")[2].strip()
    os.killpg(server.pid, signal.SIGTERM)
    server.communicate(timeout=30)


def listens(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


def test_mlflow_compares_the_five_rungs(ui: str, browser: webdriver.Chrome) -> None:
    browser.get(ui)

    def shown(driver: webdriver.Chrome) -> bool:
        text = driver.find_element(By.TAG_NAME, "body").text
        charts = driver.find_elements(
            By.CSS_SELECTOR, ".js-plotly-plot .scatterlayer .trace, .js-plotly-plot .bars .trace"
        )
        return all(rung in text for rung in rungs.RUNGS) and len(charts) >= len(rungs.RUNGS)

    WebDriverWait(browser, 180, poll_frequency=1).until(shown)


CLASS_NAMES = ["cat", "dog *big*", ":red[eel] $a$ <b> `c`"]  # shown as they are


@pytest.fixture
def demo(at_root: Path) -> Iterator[str]:
    """Starts `ladder demo` with a model of random weights and gives the address that it prints."""
    tiny_model.hand_over(CLASS_NAMES)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "ladder.cli", "demo", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        server.stdout.readline()
        yield server.stdout.readline().split()[0]
        server.terminate()  # its own server goes with it


def test_the_demo_names_a_picture_and_shows_where_the_network_looked(
    demo: str, browser: webdriver.Chrome
) -> None:
    content = drawing.draw(2, 60, np.random.default_rng(2))
    Image.fromarray(content).save("new.png")
    browser.get("about:blank")  # away from MLflow's page, which asks on
    requested(browser)
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    browser.get(demo)
    wait = WebDriverWait(browser, 120)
    upload = wait.until(lambda driver: driver.find_element(By.CSS_SELECTOR, "input[type=file]"))
    upload.send_keys(str(Path("new.png").absolute()))

    def drawn(driver: webdriver.Chrome) -> bool:
        widths = [
            image.get_property("naturalWidth")
            for image in driver.find_elements(By.CSS_SELECTOR, "[data-testid=stImage] img")
        ]
        return widths == [demo_app.SIZE, demo_app.SIZE]

    wait.until(drawn)
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "Its accuracy on 1,040 test pictures is 90.0 % (95 % interval 80.0 – 95.0 %)" in text
    shown = [
        element.text
        for element in browser.find_elements(By.CSS_SELECTOR, "[data-testid=stProgress]")
    ]
    assert sorted(line.rpartition(": ")[0] for line in shown) == sorted(CLASS_NAMES)
    percents = [float(line.rpartition(": ")[2].removesuffix(" %")) for line in shown]
    assert percents == sorted(percents, reverse=True)
    assert browser.find_elements(By.TAG_NAME, "h3")[0].text == shown[0].rpartition(": ")[0]
    for width in (390, 1200):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
    assert {url for url in requested(browser) if not url.startswith(demo)} == set()
