import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from ladder.claims import chapter_page, verdicts

CLAIMS = [
    verdicts.Claim("digits", "5.1", "Digits <are> read.", "99 %", "holds"),
    verdicts.Claim("shifts", "5.1.1", "Moved digits too.", "80 %", "holds partly"),
    verdicts.Claim("padding", "5.1.1", "Maps shrink.", "5 of 5", "holds"),
    verdicts.Claim("pooling", "5.1.2", "Max is best.", "+0.1", "cannot be told"),
]


@pytest.fixture
def html(tmp_path: Path) -> str:
    figures = {}
    for name in ("shifts", "pooling"):
        figures[name] = tmp_path / f"{name}.png"
        Image.new("RGB", (30, 20)).save(figures[name])
    tables = {
        "shifts": pd.DataFrame(
            {
                "pixels": [0, 1],
                "cut": [0, 0.002],
                "convnet": [0.99, 0.95],
                "dense": [0.98, 0.7],
                "difference": [0.01, 0.25],
                "ci_low": [0.0, 0.2],
                "ci_high": [0.02, 0.3],
            }
        ),
        "padding": pd.DataFrame(
            {
                "size": [5, 5, 28, 28, 5],
                "padding": ["valid", "same", "valid", "same", "valid"],
                "strides": [1, 1, 1, 1, 2],
                "side": [3, 5, 26, 28, 2],
            }
        ),
        "pooling": pd.DataFrame(
            {
                "pooling": ["max", "none"],
                "mean": [0.97, 0.96],
                "standard_deviation": [0.001, 0.002],
                "max_is_better": [0.0, 0.01],
                "difference_ci_low": [0.0, -0.001],
                "difference_ci_high": [0.0, 0.021],
                "seconds": [7.4, 80.0],
                "parameters": [93_322, 2_038_922],
                "coefficients": [576, 30_976],
                "dense_512": [295_424, 15_860_224],
                "window": [18, 7],
            }
        ),
    }
    return chapter_page.build(CLAIMS, tables, figures)


def test_every_claim_has_its_verdict_and_what_was_measured(html: str) -> None:
    for claim in CLAIMS:
        assert f"Here: {claim.verdict}." in html
        assert claim.measured in html
    assert "holds: 2, holds partly: 1, cannot be told: 1." in html


def test_tables_read_as_people_write_numbers(html: str) -> None:
    for cell in ("+25.0", "+20.0 to +30.0", "0.2 %", "26 × 26", "+1.00 (-0.10 to +2.10)",
                 "15,860,224", "96.00 ± 0.20 %", "18 × 18"):  # fmt: skip
        assert f"<td>{cell}</td>" in html


def test_the_page_is_whole_and_asks_nothing_of_anybody(html: str) -> None:
    assert "Digits &lt;are&gt; read." in html
    assert "<script" not in html
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    ids, links = re.findall(r' id="([^"]+)"', html), re.findall(r'href="#([^"]+)"', html)
    assert {*links} <= {*ids}
    assert len(ids) == len({*ids})
