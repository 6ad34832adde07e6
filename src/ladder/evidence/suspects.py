"""Labels that are probably wrong: confident learning on probabilities from outside the training."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ladder import settings

COLUMNS = ["id", "subset", "label", "suggested_label", "self_confidence"]


def out_of_fold(
    features: NDArray[Any],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    parameters: settings.Audit,
) -> NDArray[np.float64] | None:
    """Returns the probabilities of all classes (n, k), each from a fit that did not see its group.

    A logistic regression on the standardised features (n, …). There are as many folds as the
    parameters say, but never more than groups in the class that has fewest. A class of one group
    is left out: its pictures cannot be judged, nor can those that are in a fold with all others of
    their class. Their rows are NaN. Where none can be judged there is no answer: None.
    """
    counts = {label: len(np.unique(groups[labels == label])) for label in np.unique(labels)}
    several = [label for label, count in counts.items() if count > 1]
    if len(several) < 2:
        return None
    folds = min(parameters.folds, *(counts[label] for label in several))
    flat = features.reshape(len(features), -1).astype(np.float32)
    # The more features, the weaker each: so a logit varies as much with any number of them.
    strength = parameters.inverse_regularization / flat.shape[1]
    regression = LogisticRegression(C=strength, max_iter=1000)
    model = make_pipeline(StandardScaler(copy=False), regression)  # rows of `flat` are copies
    rows = np.flatnonzero(np.isin(labels, several))
    probabilities = np.full((len(labels), int(labels.max()) + 1), np.nan)
    for known, held_out in StratifiedGroupKFold(folds).split(rows, labels[rows], groups[rows]):
        train, judged = rows[known], rows[held_out]
        classes = np.unique(labels[train])
        judged = judged[np.isin(labels[judged], classes)]
        if len(judged) and len(classes) > 1:
            # BLAS alone: several threads wait for one another longer than they compute.
            with _few_pictures_expected(), threadpool_limits(1, "blas"):
                model.fit(flat[train], labels[train])
            probabilities[judged] = 0
            probabilities[np.ix_(judged, classes)] = model.predict_proba(flat[judged])
    return None if np.isnan(probabilities).all() else probabilities


def find(pictures: pd.DataFrame, probabilities: NDArray[np.float64] | None) -> pd.DataFrame:
    """Returns the pictures whose label is probably wrong, the likeliest first.

    `pictures` has id, subset and label; `probabilities` (n, k) come from models that did not see
    the picture, or there are none. Columns: id, subset, label, suggested_label, self_confidence
    (the probability of the label). Northcutt et al. 2021, "Confident learning".
    """
    if probabilities is None:
        return pd.DataFrame(columns=COLUMNS)
    labels = pictures["label"].to_numpy()
    wrong = rows(labels, probabilities)
    suspected = pictures.iloc[wrong].reset_index(drop=True)
    return suspected[["id", "subset", "label"]].assign(
        suggested_label=probabilities[wrong].argmax(axis=1),
        self_confidence=probabilities[wrong, labels[wrong]],
    )


def rows(labels: NDArray[np.int64], probabilities: NDArray[np.float64] | None) -> NDArray[np.int64]:
    """Returns the rows whose label is probably wrong, the likeliest first; none without answers.

    Labels are compared with one another: one class alone has no suspects, nor has one picture of a
    class.
    """
    if probabilities is None:
        return np.empty(0, np.int64)
    judged = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
    if len(np.unique(labels[judged])) < 2:
        return np.empty(0, np.int64)
    with _few_pictures_expected():
        ranked: NDArray[np.int64] = find_label_issues(
            labels[judged],
            probabilities[judged],
            return_indices_ranked_by="self_confidence",
            n_jobs=1,
        )
    return judged[ranked]


@contextmanager
def _few_pictures_expected() -> Iterator[None]:
    """Leaves out the warnings of small classes, of which there are in a person's own pictures."""
    with warnings.catch_warnings():
        for message in ("May not flag all label issues", "The number of unique classes is greater"):
            warnings.filterwarnings("ignore", message, UserWarning)
        yield
