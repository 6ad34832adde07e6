"""Labels that are probably wrong: confident learning on probabilities from outside the training."""

from typing import Any

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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
    parameters say, but never more than groups in the class that has fewest; where that is one,
    there is no answer: None.
    """
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    folds = min(parameters.folds, fewest)
    if folds < 2:
        return None
    flat = features.reshape(len(features), -1).astype(np.float32)
    # The more features, the weaker each: so a logit varies as much with any number of them.
    strength = parameters.inverse_regularization / flat.shape[1]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
    probabilities: NDArray[np.float64] = cross_val_predict(
        model, flat, labels, groups=groups, cv=StratifiedGroupKFold(folds), method="predict_proba"
    )
    return probabilities


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
    """Returns the rows whose label is probably wrong, the likeliest first; none without answers."""
    if probabilities is None:
        return np.empty(0, np.int64)
    ranked: NDArray[np.int64] = find_label_issues(
        labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return ranked
