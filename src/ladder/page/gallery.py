"""Galleries: pictures with their captions, for figures and for the page."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from ladder import paths, rungs, settings
from ladder.evidence import selection
from ladder.page import corrected, examined, grids, lettering, page, report
from ladder.pictures import augmentation, manifests

Seen = dict[str, NDArray[Any]]  # as `interpret` writes it
SUSPECTS, VIEWS, MISTAKES = 48, 6, 8  # shown on the page
NAME = 1.3  # inches of a class name left of heatmaps, and of a picture's


def build(
    reports: report.Reports,
    manifest: pd.DataFrame,
    images: Mapping[paths.Subset, NDArray[Any]],
    seen: Mapping[rungs.Rung, Seen],
    ranges: settings.Ranges,
    seed: int,
    examination: examined.Examination,
    effects: pd.DataFrame,
) -> page.Galleries:
    """Returns all galleries of the page; `effects` are those of corrections."""
    names = [lettering.before_others(name) for name in manifests.class_names(manifest)]
    return page.Galleries(
        mistakes={rung: pictures(arrays, "worst_mistakes", names) for rung, arrays in seen.items()},
        example=[
            picture
            for rung, arrays in seen.items()
            for picture in pictures(arrays, "example", names, f"{rung}: ")
        ],
        everywhere=wrong_everywhere(reports.predictions, images["test"], names, MISTAKES),
        suspects=suspects(reports.suspects, manifest, images, effects, SUSPECTS),
        relabelled=relabelled(effects, manifest, images),
        views=views(images["train"], manifest["id"].iloc[0], ranges, seed, VIEWS),
        odd=odd(examination, manifest, images),
    )


def strips(
    seen: Seen, galleries: Collection[str], class_names: Sequence[str]
) -> list[tuple[str, grids.Pixels]]:
    """Returns the galleries' pictures in order: prediction as text, and picture with heatmaps.

    The text is one that figures can write; the heatmaps are of the labels of `grids.looked_for`.
    """
    written = lettering.names(class_names, NAME, grids.POINTS)
    names = [lettering.before_others(name) for name in written]
    shown = []
    for i, gallery in enumerate(seen["gallery"]):
        if gallery in galleries:
            labels = grids.looked_for(int(seen["label"][i]), seen["probabilities"][i])
            maps = {method: seen[method][i][labels] for method in grids.METHODS}
            text = _written(seen, i, names, labels)
            shown.append((text, grids.strip(seen["images"][i], maps)))
    return shown


def _written(seen: Seen, i: int, names: Sequence[str], labels: Sequence[int]) -> str:
    """Returns the prediction in lines, with the other class that has a heatmap."""
    predicted = _predicted(seen, i, names, NAME)
    probabilities, other = seen["probabilities"][i], labels[-1]
    if len(names) > grids.MOST_CLASSES and probabilities.argmax() == seen["label"][i]:
        return f"{predicted},\nthen {names[other]}: {100 * probabilities[other]:.1f} %"
    return predicted


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


def _predicted(seen: Seen, i: int, class_names: Sequence[str], widest: float | None = None) -> str:
    """Returns the prediction in two lines; the picture's id is cut to `widest` inches."""
    probabilities, name = seen["probabilities"][i], str(seen["id"][i])
    name = name if widest is None else lettering.cut(name, widest, grids.POINTS)
    true, taken_for = class_names[seen["label"][i]], class_names[probabilities.argmax()]
    return f"{name}: {true},\ntaken for {taken_for}: {100 * probabilities.max():.1f} %"


def suspects(
    table: pd.DataFrame,
    manifest: pd.DataFrame,
    images: Mapping[paths.Subset, NDArray[Any]],
    effects: pd.DataFrame,
    count: int,
) -> list[page.Suspect]:
    """Returns the pictures whose labels are most suspect, of all subsets, the likeliest first.

    Those that corrections decide on are left out.
    """
    class_names, places = manifests.class_names(manifest), _places(manifest)
    by_id = manifest.set_index("id")
    is_decided = table["id"].map(by_id["path"]).isin(corrected.decided(effects))
    likeliest = table[~is_decided].sort_values("self_confidence", kind="stable").head(count)
    shown: list[page.Suspect] = []
    for row in likeliest.to_dict("records"):
        picture = by_id.loc[row["id"]]
        label, suggested = class_names[row["label"]], class_names[row["suggested_label"]]
        words = f"{row['id']} ({row['subset']}): labelled {label}, rather {suggested}"
        thumbnail = _thumbnail(picture["path"], places, images)
        picture_shown = page.Picture([thumbnail], words, words)
        shown.append(
            page.Suspect(picture_shown, picture["path"], picture["sha256"], label, suggested)
        )
    return shown


def relabelled(
    effects: pd.DataFrame,
    manifest: pd.DataFrame,
    images: Mapping[paths.Subset, NDArray[Any]],
) -> list[page.Picture]:
    """Returns the first pictures whose class was corrected, of those that a subset takes."""
    places, rows, shown = _places(manifest), corrected.relabelled(effects), list[page.Picture]()
    for row in rows[rows["path"].isin(places)].head(SUSPECTS).to_dict("records"):
        words = f"{row['path']}: {row['class_name']} → {row['corrected_class_name']}"
        thumbnail = _thumbnail(row["path"], places, images)
        shown.append(page.Picture([thumbnail], words, words))
    return shown


def _places(manifest: pd.DataFrame) -> dict[str, tuple[paths.Subset, int]]:
    """Returns subset and row in it of every picture, by path."""
    rows = manifest.groupby("subset").cumcount()
    places = zip(manifest["subset"], rows, strict=True)
    return dict(zip(manifest["path"], places, strict=True))


def _thumbnail(
    path: str,
    places: Mapping[str, tuple[paths.Subset, int]],
    images: Mapping[paths.Subset, NDArray[Any]],
) -> grids.Pixels:
    subset, row = places[path]
    return grids.thumbnail(images[subset][row])


def odd(
    examination: examined.Examination,
    manifest: pd.DataFrame,
    images: Mapping[paths.Subset, NDArray[Any]],
) -> dict[str, list[page.Picture]]:
    """Returns some pictures of each finding, those first that are it most.

    None of a finding that most pictures share, and of pictures that no subset takes.
    """
    places = _places(manifest)
    used = examination.findings[examination.findings["path"].isin(places)]
    shown: dict[str, list[page.Picture]] = {}
    for finding in examined.findings(examination.findings, len(examination.usable)):
        if finding.paths:
            rows = used[used["finding"] == finding.key]
            some = examined.most(finding.key, rows)["path"].head(examined.EXAMPLES)
            shown[finding.key] = []
            for path in some:
                thumbnail = _thumbnail(path, places, images)
                picture = page.Picture([thumbnail], path, f"{path}: {finding.key}")
                shown[finding.key].append(picture)
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
