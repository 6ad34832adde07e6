"""What predictions are worth: accuracy with its interval, loss, AUC, confusion. No TensorFlow."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from ladder import paths, rungs
from ladder.evidence import prediction_tables
from ladder.pictures import manifests

LOWEST_PROBABILITY = 1e-7  # as Keras clips, so that one sure mistake is not an infinite loss


def measure(frame: pd.DataFrame) -> dict[str, float]:
    """Returns accuracy with its Wilson 95 % interval, loss and AUC of one subset's predictions.

    For more than two classes the AUC is the mean of each class against the rest, of the classes
    that the subset has. With pictures of one class alone it is NaN.
    """
    labels, probability = frame["label"].to_numpy(), prediction_tables.probabilities(frame)
    correct = int(prediction_tables.right(frame).sum())
    low, high = proportion_confint(correct, len(frame), method="wilson")
    areas = [
        metrics.roc_auc_score(is_class, score)
        for is_class, score in against_the_rest(frame)
        if not is_class.all()
    ]
    clipped = np.clip(probability, LOWEST_PROBABILITY, 1 - LOWEST_PROBABILITY)
    return {
        "accuracy": correct / len(frame),
        "accuracy_ci_low": float(low),
        "accuracy_ci_high": float(high),
        "loss": float(-np.log(clipped[np.arange(len(frame)), labels]).mean()),
        "auc": float(np.mean(areas)) if areas else math.nan,
    }


def against_the_rest(frame: pd.DataFrame) -> list[tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Returns, for each class that has a picture, whether a picture is its, and its probability.

    Each (n,). For two classes it is the second alone.
    """
    labels, probability = frame["label"].to_numpy(), prediction_tables.probabilities(frame)
    count = probability.shape[1]
    classes = [1] if count == 2 else range(count)
    pairs = [(labels == label, probability[:, label]) for label in classes]
    return [(is_class, score) for is_class, score in pairs if is_class.any()]


def confusion(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Returns counts (true label, predicted label), (k, k)."""
    classes = np.arange(prediction_tables.probabilities(frame).shape[1])
    counts: NDArray[np.int64] = metrics.confusion_matrix(
        frame["label"], prediction_tables.predicted(frame), labels=classes
    )
    return counts


def results(frame: pd.DataFrame, duplicates: pd.DataFrame) -> dict[str, Any]:
    """Returns the measures of validation and of test, with the confusion as scalars.

    `accuracy_without_duplicates` is of the `pictures_without_duplicates`, which no earlier subset
    holds as well; if there are none, it is left out.
    """
    by_subset = {}
    for subset in ("validation", "test"):
        part = frame[frame["subset"] == subset]
        counts = confusion(part)
        cells = {f"true_{i}_as_{j}": int(n) for (i, j), n in np.ndenumerate(counts)}
        alone = prediction_tables.right(part[~part["id"].isin(duplicates["other_id"])])
        by_subset[subset] = {**measure(part), "pictures": len(part), "confusion": cells}
        by_subset[subset]["pictures_without_duplicates"] = len(alone)
        if len(alone):
            by_subset[subset]["accuracy_without_duplicates"] = float(alone.mean())
    return by_subset


def by_class(frame: pd.DataFrame, class_names: Sequence[str]) -> pd.DataFrame:
    """Returns a row per class of one subset's predictions, in order of the labels.

    Columns: class_name, pictures, right, recall, recall_low, recall_high (Wilson 95 %), precision,
    most_confused_with (the class that most of its mistaken pictures are taken for, of several the
    first). Empty are the recall of a class without pictures, the precision of one that is never
    predicted, and the last without a mistake.
    """
    counts = confusion(frame)
    correct, pictures, taken_for = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    mistakes = counts - np.diag(correct)
    low, high = proportion_confint(correct, np.maximum(pictures, 1), method="wilson")
    others = [class_names[row.argmax()] if row.any() else None for row in mistakes]
    return pd.DataFrame(
        {
            "class_name": list(class_names),
            "pictures": pictures,
            "right": correct,
            "recall": _share(correct, pictures),
            "recall_low": np.where(pictures, low, np.nan),
            "recall_high": np.where(pictures, high, np.nan),
            "precision": _share(correct, taken_for),
            "most_confused_with": pd.array(others, dtype="str"),
        }
    )


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns part / whole; NaN of nothing."""
    share: NDArray[np.float64] = np.divide(
        part, whole, out=np.full(len(part), np.nan), where=whole > 0
    )
    return share


def balanced_accuracy(frame: pd.DataFrame) -> float:
    """Returns the mean recall of the classes that the subset has."""
    return _mean_of_classes(metrics.recall_score, frame)


def macro_f1(frame: pd.DataFrame) -> float:
    """Returns the mean F1 (of precision and recall) of the classes that the subset has."""
    return _mean_of_classes(metrics.f1_score, frame)


def _mean_of_classes(score: Callable[..., float], frame: pd.DataFrame) -> float:
    """Returns the mean of scikit-learn's `score` over the classes that the subset has."""
    labels = frame["label"].to_numpy()
    predicted = prediction_tables.predicted(frame)
    present = np.unique(labels)
    return float(score(labels, predicted, labels=present, average="macro", zero_division=0))


def baseline(manifest: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per subset: how right it is to answer train's most frequent label always.

    Columns: subset, class_name (the answer; of several the first), pictures, accuracy,
    accuracy_ci_low, accuracy_ci_high (Wilson 95 %), balanced_accuracy, macro_f1.
    """
    names, answer = manifests.class_names(manifest), _most_frequent(manifest)
    always = np.eye(max(2, len(names)))[answer]
    rows = []
    for subset in paths.SUBSETS:
        labels = manifests.labels(manifest, subset)
        answers = {f"probability_{i}": probability for i, probability in enumerate(always)}
        frame = pd.DataFrame({"label": labels}).assign(**answers)
        correct = int(prediction_tables.right(frame).sum())
        low, high = proportion_confint(correct, len(frame), method="wilson")
        rows.append(
            {
                "subset": subset,
                "class_name": names[answer],
                "pictures": len(frame),
                "accuracy": correct / len(frame),
                "accuracy_ci_low": float(low),
                "accuracy_ci_high": float(high),
                "balanced_accuracy": balanced_accuracy(frame),
                "macro_f1": macro_f1(frame),
            }
        )
    return pd.DataFrame(rows)


def _most_frequent(manifest: pd.DataFrame) -> int:
    return int(manifest.loc[manifest["subset"] == "train", "label"].mode()[0])


def ladder(results: dict[rungs.Rung, dict[str, Any]], is_book: bool) -> pd.DataFrame:
    """Returns a row per rung, in their order; `book` is empty unless the pictures are its."""
    rows = [
        {
            "rung": rung,
            "book": rungs.TABLE[rung].book if is_book else None,
            "book_subset": rungs.TABLE[rung].book_subset if is_book else None,
            "validation_accuracy": result["validation"]["accuracy"],
            "validation_ci_low": result["validation"]["accuracy_ci_low"],
            "validation_ci_high": result["validation"]["accuracy_ci_high"],
            "test_accuracy": result["test"]["accuracy"],
            "test_ci_low": result["test"]["accuracy_ci_low"],
            "test_ci_high": result["test"]["accuracy_ci_high"],
            "seconds": round(result["seconds"], 1),
            "trainable_parameters": result["trainable_parameters"],
            "seconds_alone": round(result["seconds_alone"], 1),
            "test_accuracy_without_duplicates": result["test"].get("accuracy_without_duplicates"),
        }
        for rung, result in results.items()
    ]
    return pd.DataFrame(rows)


def costs(
    training: Mapping[rungs.Rung, float], extraction: Mapping[str, float], views: int
) -> dict[rungs.Rung, dict[str, float]]:
    """Returns every rung's seconds, and its seconds_alone.

    `seconds` is what a rung adds to the climb: its training, and the extraction that it is the
    first to need. `seconds_alone` is all that it takes for a person who wants this rung only.
    `extraction` has the seconds of the stages extract_features and extract_views; without stored
    views (0) the rungs with augmentation need neither.
    """
    stored, seen = extraction["extract_features"], extraction["extract_views"]
    added = dict.fromkeys(rungs.RUNGS, 0.0) | {"features": stored, "features_augmented": seen}
    needed = added | dict.fromkeys(
        ("features_augmented", "fine_tuned"), stored + seen if views else 0.0
    )
    return {
        rung: {
            "seconds": seconds + added[rung],
            "seconds_alone": seconds
            + (training[start] if (start := rungs.TABLE[rung].starts_from) else 0.0)
            + needed[rung],
        }
        for rung, seconds in training.items()
    }
