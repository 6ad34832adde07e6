"""Galleries: pictures with their captions, for figures and for the page."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from ladder import paths, rungs, settings
from ladder.evidence import selection
from ladder.page import grids, page, report
from ladder.pictures import augmentation, manifests

Seen = dict[str, NDArray[Any]]  # as `interpret` writes it
SUSPECTS, VIEWS, MISTAKES = 12, 6, 8  # shown on the page


def build(
    reports: report.Reports,
    manifest: pd.DataFrame,
    images: Mapping[paths.Subset, NDArray[Any]],
    seen: Mapping[rungs.Rung, Seen],
    ranges: settings.Ranges,
    seed: int,
) -> page.Galleries:
    """Returns all galleries of the page."""
    names = manifests.class_names(manifest)
    return page.Galleries(
        mistakes={rung: pictures(arrays, "worst_mistakes", names) for rung, arrays in seen.items()},
        example=[
            picture
            for rung, arrays in seen.items()
            for picture in pictures(arrays, "example", names, f"{rung}: ")
        ],
        everywhere=wrong_everywhere(reports.predictions, images["test"], names, MISTAKES),
        suspects=suspects(reports.suspects, manifest, images, names, SUSPECTS),
        views=views(images["train"], manifest["id"].iloc[0], ranges, seed, VIEWS),
    )


def strips(
    seen: Seen, galleries: Collection[str], class_names: Sequence[str]
) -> list[tuple[str, grids.Pixels]]:
    """Returns the galleries' pictures in order: prediction as text, and picture with heatmaps."""
    return [
        (
            _predicted(seen, i, class_names),
            grids.strip(seen["images"][i], {method: seen[method][i] for method in grids.METHODS}),
        )
        for i, gallery in enumerate(seen["gallery"])
        if gallery in galleries
    ]


def pictures(
    seen: Seen, gallery: str, class_names: Sequence[str], prefix: str = ""
) -> list[page.Picture]:
    """Returns a gallery's pictures, each with the heatmap of the predicted class."""
    method = next(iter(grids.METHODS))
    shown = []
    for i, name in enumerate(seen["gallery"]):
        if name == gallery:
            image, taken_for = seen["images"][i], int(seen["probabilities"][i].argmax())
            overlay = grids.overlay(image, seen[method][i][taken_for])
            words = prefix + _predicted(seen, i, class_names).replace("\n", " ")
            shown.append(page.Picture([grids.thumbnail(image), overlay], words, words))
    return shown


def wrong_everywhere(
    predictions: Mapping[rungs.Rung, pd.DataFrame],
    images: NDArray[Any],
    class_names: Sequence[str],
    count: int,
) -> list[page.Picture]:
    """Returns the test pictures that every rung gets wrong, the most confident on average first."""
    tests = {rung: selection.of_test(frame) for rung, frame in predictions.items()}
    shown = []
    for row in selection.wrong_everywhere(tests, count):
        picture = next(iter(tests.values())).iloc[row]
        sure = [100 * selection.confidence(test.iloc[[row]])[0] for test in tests.values()]
        words = (
            f"{picture['id']}: {class_names[picture['label']]}, never taken for it; confidence "
            f"{min(sure):.0f} – {max(sure):.0f} %"
        )
        shown.append(page.Picture([grids.thumbnail(images[row])], words, words))
    return shown


def _predicted(seen: Seen, i: int, class_names: Sequence[str]) -> str:
    probabilities = seen["probabilities"][i]
    true, taken_for = class_names[seen["label"][i]], class_names[probabilities.argmax()]
    return f"{seen['id'][i]}: {true},\ntaken for {taken_for}: {100 * probabilities.max():.1f} %"


def suspects(
    table: pd.DataFrame,
    manifest: pd.DataFrame,
    images: Mapping[paths.Subset, NDArray[Any]],
    class_names: Sequence[str],
    count: int,
) -> list[page.Picture]:
    """Returns the pictures whose labels are most suspect, of all subsets, the likeliest first."""
    shown = []
    for row in table.sort_values("self_confidence", kind="stable").head(count).to_dict("records"):
        ids = manifest.loc[manifest["subset"] == row["subset"], "id"].tolist()
        image = images[row["subset"]][ids.index(row["id"])]
        label, other = class_names[row["label"]], class_names[row["suggested_label"]]
        words = f"{row['id']} ({row['subset']}): labelled {label}, rather {other}"
        shown.append(page.Picture([grids.thumbnail(image)], words, words))
    return shown


def views(
    images: NDArray[Any], name: str, ranges: settings.Ranges, seed: int, count: int
) -> list[page.Picture]:
    """Returns the first picture of train as it is and in its first random views."""
    shown = [page.Picture([grids.thumbnail(images[0])], name, f"{name}, as it is")]
    for number in range(1, count + 1):
        (view,) = augmentation.view(images, slice(1), ranges, seed, number)
        words = f"view {number}"
        shown.append(page.Picture([grids.thumbnail(view)], words, f"{name}, {words}"))
    return shown
