"""Whether probabilities can be believed, and what another threshold would give. No TensorFlow."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from ladder import paths, rungs
from ladder.evidence import evaluation, prediction_tables

BINS = 15  # of equal width over [0, 1], as Guo et al. 2017
EDGES = np.linspace(0, 1, BINS + 1)
DRAWS = 1000
ROC_COLUMNS = ["false_positive_rate", "true_positive_rate"]
PRECISION_RECALL_COLUMNS = ["recall", "precision"]
SHARES = np.linspace(0, 1, 1001)  # at which a mean of curves is taken


def reliability(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per bin of confidence that holds a picture, in order.

    Columns: low, high (of the bin, low excluded), pictures, confidence (mean), accuracy, ci_low,
    ci_high (Wilson 95 %). Confidence is the probability of the label that is predicted, whatever
    the number of classes (Guo et al. 2017).
    """
    confidence = prediction_tables.probabilities(frame).max(axis=1)
    answers = pd.DataFrame({"confidence": confidence, "right": prediction_tables.right(frame)})
    grouped = answers.groupby(_bins(confidence))
    pictures, right = grouped.size(), grouped["right"].sum()
    low, high = proportion_confint(right, pictures, method="wilson")
    return pd.DataFrame(
        {
            "low": EDGES[pictures.index],
            "high": EDGES[pictures.index + 1],
            "pictures": pictures,
            "confidence": grouped["confidence"].mean(),
            "accuracy": right / pictures,
            "ci_low": low,
            "ci_high": high,
        }
    ).reset_index(drop=True)


def _bins(confidence: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.searchsorted(EDGES[1:-1], confidence)


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Returns the mean distance of confidence and accuracy over the pictures (Guo et al. 2017)."""
    distance = (bins["confidence"] - bins["accuracy"]).abs()
    return float((distance * bins["pictures"]).sum() / bins["pictures"].sum())


def error_by_chance(frame: pd.DataFrame, seed: int) -> float:
    """Returns what the expected calibration error stays below in 95 % of cases by chance alone.

    That is, if every probability meant what it says: which answers are right is drawn from the
    confidences (Bröcker and Smith 2007).
    """
    confidence = prediction_tables.probabilities(frame).max(axis=1)
    bins = _bins(confidence)
    random, draws = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        surplus = confidence - (random.random(len(confidence)) < confidence)
        draws.append(np.abs(np.bincount(bins, surplus)).sum() / len(confidence))
    return float(np.quantile(draws, 0.95))


def roc(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Returns the ROC curve of one subset's predictions: false_ and true_positive_rate, rising.

    One frame for two classes, of the second; else a frame per class against the rest. A class has
    none if all pictures are its, or none is.
    """
    pairs = [pair for pair in evaluation.against_the_rest(frame) if not pair[0].all()]
    points = [metrics.roc_curve(*pair)[:2] for pair in pairs]
    return [pd.DataFrame(dict(zip(ROC_COLUMNS, pair, strict=True))) for pair in points]


def precision_recall(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Returns precision by recall, falling; a frame per class that has a picture, as of `roc`."""
    pairs = evaluation.against_the_rest(frame)
    points = [metrics.precision_recall_curve(*pair)[:2] for pair in pairs]
    return [pd.DataFrame({"recall": recall, "precision": value}) for value, recall in points]


def mean_curve(curves: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Returns the mean of several classes' curves, all of `roc` or all of `precision_recall`."""
    x, y = curves[0].columns
    means = np.mean([_at_shares(curve) for curve in curves], axis=0)
    mean = pd.DataFrame({x: SHARES, y: means})
    if x == "recall":
        return mean[::-1].reset_index(drop=True)
    return pd.concat([pd.DataFrame({x: [0.0], y: [0.0]}), mean], ignore_index=True)


def _at_shares(curve: pd.DataFrame) -> NDArray[np.float64]:
    x, y = (curve[column].to_numpy() for column in curve)
    if curve.columns[0] == "recall":  # steps: the precision with which such a recall is reached
        steps: NDArray[np.float64] = y[::-1][np.searchsorted(x[::-1], SHARES)]
        return steps
    line: NDArray[np.float64] = np.interp(SHARES, x, y)
    return line


def average_precision(frame: pd.DataFrame) -> float:
    """Returns the area under the precision–recall steps; of several classes, the mean.

    Of the classes that have a picture; NaN where none has.
    """
    pairs = evaluation.against_the_rest(frame)
    scores = [metrics.average_precision_score(*pair) for pair in pairs]
    return float(np.mean(scores)) if scores else math.nan


def best_threshold(frame: pd.DataFrame) -> float:
    """Returns the threshold on the second class's probability that gives the highest accuracy.

    Of equally good ones it is the nearest to 0.5. A picture is of the second class if its
    probability is greater. Two classes only.
    """
    second = frame["probability"].to_numpy(np.float64)
    values = np.unique(second)
    candidates = np.concatenate([[0.5, 0.0, 1.0], (values[1:] + values[:-1]) / 2])
    positive, negative = (np.sort(second[frame["label"] == label]) for label in (1, 0))
    missed = np.searchsorted(positive, candidates, side="right")
    right = len(positive) - missed + np.searchsorted(negative, candidates, side="right")
    best = candidates[right == right.max()]
    return float(best[np.abs(best - 0.5).argmin()])


def table(predictions: Mapping[rungs.Rung, pd.DataFrame]) -> pd.DataFrame:
    """Returns a row per rung and subset: how well its probabilities can be believed.

    Columns: rung, subset, pictures, accuracy, confidence (mean), expected_calibration_error,
    error_by_chance, auc, average_precision, brier; and for two classes the threshold that is best
    on validation, with the accuracy that it gives on this subset and its Wilson 95 % interval.
    An area that is undefined is empty.
    """
    rows = []
    for rung, frame in predictions.items():
        subsets = {name: frame[frame["subset"] == name] for name in paths.SUBSETS[1:]}
        threshold = best_threshold(subsets["validation"]) if "probability" in frame else None
        rows += [
            {"rung": rung, "subset": name, **_measure(part), **_at(threshold, part)}
            for name, part in subsets.items()
        ]
    return pd.DataFrame(rows)


def _measure(frame: pd.DataFrame) -> dict[str, float]:
    probability = prediction_tables.probabilities(frame)
    classes = np.arange(probability.shape[1])
    # A float32 softmax misses one by a rounding, which scikit-learn would warn of.
    probability = probability / probability.sum(axis=1, keepdims=True)
    score: Any = probability[:, 1] if len(classes) == 2 else probability
    measured = evaluation.measure(frame)
    return {
        "pictures": len(frame),
        "accuracy": measured["accuracy"],
        "confidence": float(probability.max(axis=1).mean()),
        "expected_calibration_error": expected_calibration_error(reliability(frame)),
        "error_by_chance": error_by_chance(frame, seed=0),
        "auc": measured["auc"],
        "average_precision": average_precision(frame),
        "brier": float(metrics.brier_score_loss(frame["label"], score, labels=classes)),
    }


def _at(threshold: float | None, frame: pd.DataFrame) -> dict[str, float | None]:
    names = ("threshold", "threshold_accuracy", "threshold_ci_low", "threshold_ci_high")
    if threshold is None:
        return dict.fromkeys(names)
    right = int(((frame["probability"] > threshold) == (frame["label"] == 1)).sum())
    low, high = proportion_confint(right, len(frame), method="wilson")
    return dict(zip(names, (threshold, right / len(frame), float(low), float(high)), strict=True))
