"""What the page says of corrected labels, and the script that hands out `corrections.csv`."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ladder import rungs
from ladder.evidence import prediction_tables, selection
from ladder.pictures import manifests

DECIDED = {"keep": "kept", "relabel": "relabelled", "drop": "dropped"}


def script() -> tuple[str, str]:
    """Returns the page's one script, and its hash as a content security policy names it."""
    text = (Path(__file__).parent / "corrections.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return text, f"'sha256-{digest}'"


def summary(effects: pd.DataFrame) -> str:
    """Returns how many pictures the corrections decide on, in a sentence; nothing without any."""
    counts = _fitting(effects)["decision"].value_counts()
    parts = [f"{counts[key]:,} {word}" for key, word in DECIDED.items() if key in counts]
    sentences = [f"By corrections: {', '.join(parts)}."] if parts else []
    for reason, rows in effects[effects["reason"] != ""].groupby("reason", sort=False):
        names = ", ".join(rows["path"].head(3)) + (" …" if len(rows) > 3 else "")
        sentences.append(f"{len(rows):,} fit no picture ({reason}): {names}.")
    return " ".join(sentences)


def decided(effects: pd.DataFrame) -> set[str]:
    """Returns the paths of the pictures that are decided on."""
    return {*_fitting(effects)["path"]}


def _fitting(effects: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of the corrections that fit a picture."""
    return effects[effects["reason"] == ""]


def before(
    predictions: Mapping[rungs.Rung, pd.DataFrame], manifest: pd.DataFrame, effects: pd.DataFrame
) -> dict[rungs.Rung, tuple[float, float]]:
    """Returns each rung's test accuracy with the labels before corrections, and with those after.

    Both are of the same predictions. Empty where no test picture is relabelled.
    """
    relabelled = _of_decision(effects, "relabel")
    names = manifests.class_names(manifest)
    former = dict(zip(relabelled["path"], relabelled["class_name"], strict=True))
    test = manifest[manifest["subset"] == "test"]
    former_by_id = {
        row["id"]: names.index(former[row["path"]])
        for row in test[test["path"].isin(former)].to_dict("records")
    }
    if not former_by_id:
        return {}
    accuracies = {}
    for rung, frame in predictions.items():
        pictures = selection.of_test(frame)
        labels = pictures["id"].map(former_by_id).fillna(pictures["label"]).astype(int)
        predicted = prediction_tables.predicted(pictures)
        right_before = float((predicted == labels.to_numpy()).mean())
        accuracies[rung] = (right_before, float((predicted == pictures["label"]).mean()))
    return accuracies


def sentence(accuracies: Mapping[rungs.Rung, tuple[float, float]]) -> str:
    """Returns what the corrections of test pictures do to the accuracies; nothing without any."""
    if not accuracies:
        return ""
    each = ", ".join(
        f"{rung} {100 * old:.1f} → {100 * new:.1f}" for rung, (old, new) in accuracies.items()
    )
    return (
        "Test accuracy of the same predictions with the labels before and after, in per cent: "
        f"{each}. If only labels were looked at that the networks contradict, the second is too "
        "high."
    )


def relabelled(effects: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of pictures whose class was corrected."""
    fitting = _fitting(effects)
    return fitting[fitting["class_name"] != fitting["corrected_class_name"]]


def dropped(effects: pd.DataFrame) -> Sequence[str]:
    """Returns the paths of the pictures that were dropped."""
    return _of_decision(effects, "drop")["path"].tolist()


def _of_decision(effects: pd.DataFrame, decision: str) -> pd.DataFrame:
    fitting = _fitting(effects)
    return fitting[fitting["decision"] == decision]
