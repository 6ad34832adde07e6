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
    verdicts.Claim("heads", "5.3.1", "A head overfits.", "early", "holds"),
]


MACHINE = {
    "policy": "mixed_bfloat16",
    "threads": "2",
    "processor": "some processor",
    "tensorflow": "2.21.0",
    "keras": "3.15.1",
}


def apart(name: str, value: float) -> dict[str, float]:
    return {name: value, f"{name}_low": 0.05, f"{name}_high": 0.15}


def of_base() -> dict[str, pd.DataFrame]:
    """A row of each table on a pretrained base."""
    accuracy = {"mean": 0.9, "standard_deviation": 0.01}
    ways = dict.fromkeys(("as_they_are", "augmented", "head"), 0.8)
    rows: dict[str, dict[str, object]] = {
        "amounts": {
            "train_pictures": 4000,
            **ways,
            **{f"{way}_deviation": 0.02 for way in ways},
            **apart("augmentation", 0.1),
        },
        "depth": {
            "block": "block5_pool",
            "animals": 0.876,
            "digits": 0.9,
            "blank": 0.123,
            "zeros": 0.7,
            "colours": 0.31,
        },
        "heads": {
            "way": "dropout",
            "lowest_epoch": 4,
            "first_epoch": 3,
            "last_epoch": 6,
            "epochs": 30,
            **apart("rise", 0.1),
            "accuracy": 0.99,
            "validation_accuracy": 0.84,
        },
        "fine_tuning": {
            "way": "large_rate",
            **accuracy,
            "relearned": 0.77,
            **apart("lost", 0.1),
            "moved": 0.1234,
        },
        "unfreezing": {
            "unfrozen": "blocks4_5",
            **accuracy,
            **apart("gain", 0.1),
            "seconds": 12.34,
            "parameters": 7_000_000,
        },
        "heat": {
            "network": "frozen",
            "method": "grad_cam_plus_plus",
            "share": 0.44,
            "other_share": 0.22,
            **apart("more", 0.1),
            **apart("over_chance", 0.1),
        },
    }
    return {name: pd.DataFrame([row]) for name, row in rows.items()}


@pytest.fixture
def html(tmp_path: Path) -> str:
    figures = {}
    for name in chapter_page.FIGURES:
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
    return chapter_page.build(CLAIMS, tables | of_base(), figures, MACHINE)


def test_every_claim_has_its_verdict_and_what_was_measured(html: str) -> None:
    for claim in CLAIMS:
        assert f"Here: {claim.verdict}." in html
        assert claim.measured in html
    assert "mixed_bfloat16 on 2 threads of some processor, with TensorFlow 2.21.0" in html
    assert "holds: 3, holds partly: 1, cannot be told: 1." in html


def test_tables_read_as_people_write_numbers(html: str) -> None:
    for cell in ("+25.0", "+20.0 to +30.0", "0.2 %", "26 × 26", "+1.00 (-0.10 to +2.10)",
                 "15,860,224", "96.00 ± 0.20 %", "18 × 18", "4,000", "80.0 ± 2.0 %",
                 "+10.0 (+5.0 to +15.0)", "87.6 %", "12.3 %", "31.0 %", "with dropout",
                 "3 to 6", "77.0 %", "22 %",
                 "epoch 4 of 30", "+0.100 (+0.050 to +0.150)", "the block, at a large rate",
                 "12.34 %", "blocks4–5", "7,000,000", "Grad-CAM++", "44 %"):  # fmt: skip
        assert f"<td>{cell}</td>" in html


def test_the_page_is_whole_and_asks_nothing_of_anybody(html: str) -> None:
    assert "Digits &lt;are&gt; read." in html
    assert "<script" not in html
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    ids, links = re.findall(r' id="([^"]+)"', html), re.findall(r'href="#([^"]+)"', html)
    assert {*links} <= {*ids}
    assert len(ids) == len({*ids})
