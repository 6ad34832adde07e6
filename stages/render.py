"""Draws every figure of the reports and puts them on one page. No TensorFlow."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ladder import (
    artifacts,
    calibration,
    errors,
    evaluation,
    figures,
    gallery,
    grids,
    operations,
    page,
    paths,
    report,
    settings,
    tracking,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUSPECTS, VIEWS, MISTAKES = 12, 6, 8  # shown on the page
LOOKED_AT = {"example", "worst_mistakes"}


def main() -> None:
    params = settings.load(
        "seed",
        "dataset",
        "augmentation.rotation_degrees",
        "augmentation.shift_fraction",
        "augmentation.shear_degrees",
        "augmentation.zoom_fraction",
        "augmentation.horizontal_flip",
    )
    files = paths.DatasetPaths(params.dataset.source)
    class_names = sorted(pd.read_csv(files.manifest)["class_name"].unique())
    predictions = {
        rung: pd.read_csv(files.reports / "predictions" / f"{rung}.csv") for rung in paths.RUNGS
    }
    ladder = pd.read_csv(files.reports / "ladder.csv")
    seen = {rung: artifacts.read_npz(files.interpretation(rung)) for rung in paths.RUNGS}
    made = report.made_studies(files.reports, ladder)
    drawn = charts(files, ladder, predictions, class_names) | study_figures(made, ladder)
    drawn |= insides(files, seen) | heatmaps(seen, class_names)
    drawn_to = {name: files.reports / f"figures/{name}.png" for name in drawn}
    for name, figure in drawn.items():
        artifacts.write_png(drawn_to[name], figure)
    for rung, arrays in seen.items():
        tracking.log_heatmaps(
            files.source,
            str(arrays["weights_sha256"]),
            drawn_to[f"heatmaps_{rung}"],
            [pixels for _, pixels in gallery.strips(arrays, LOOKED_AT, class_names)],
        )
    told = content(files, params, ladder, predictions, class_names, seen, made, drawn_to)
    artifacts.write_text(files.reports / "ladder.html", page.build(told))


def charts(
    files: paths.DatasetPaths,
    ladder: pd.DataFrame,
    predictions: dict[paths.Rung, pd.DataFrame],
    class_names: list[str],
) -> dict[str, "Figure"]:
    """Returns the charts of one climb."""
    measured = pd.read_csv(files.reports / "calibration.csv", index_col="rung")
    areas = measured[measured["subset"] == "test"].to_dict()
    histories = {rung: pd.read_csv(files.history(rung)) for rung in paths.RUNGS}
    tests = {rung: frame[frame["subset"] == "test"] for rung, frame in predictions.items()}
    counts = {rung: evaluation.confusion(frame) for rung, frame in tests.items()}
    bins = {rung: calibration.reliability(frame) for rung, frame in tests.items()}
    roc = {rung: calibration.roc(frame) for rung, frame in tests.items()}
    precision_recall = {rung: calibration.precision_recall(frame) for rung, frame in tests.items()}
    return {
        "staircase": figures.staircase(ladder, page.title(files.source, class_names)),
        "curves": figures.histories(histories),
        "confusion": figures.confusions(counts, class_names),
        "reliability": figures.reliability(
            bins, areas["expected_calibration_error"], areas["error_by_chance"]
        ),
        "roc": figures.roc(roc, areas["auc"]),
        "precision_recall": figures.precision_recall(precision_recall, areas["average_precision"]),
    }


def study_figures(made: dict[str, pd.DataFrame], ladder: pd.DataFrame) -> dict[str, "Figure"]:
    """Returns the figures of the studies."""
    drawn = {}
    if len(made["seeds"]):
        book = dict(ladder.dropna(subset="book").set_index("rung")["book"])
        drawn["seeds"] = figures.seeds(made["seeds"], made["seeds_summary"], book)
    if len(made["learning_curve"]):
        drawn["learning_curve"] = figures.learning_curve(made["learning_curve"])
    return drawn


def insides(files: paths.DatasetPaths, seen: dict[paths.Rung, gallery.Seen]) -> dict[str, "Figure"]:
    """Returns the figures of classic operations, activation maps, blank channels and patterns."""
    networks = {"scratch": seen["scratch"], "base": seen["features"]}
    shares = {
        name: dict(zip(arrays["layers"], arrays["blank_share"], strict=True))
        for name, arrays in networks.items()
    }
    drawn = {
        "operations": grids.operations(
            operations.operations(seen["scratch"]["images"][0]),
            operations.kernels(seen["scratch"]["kernels"]),
            seen["scratch"]["activations/conv1"],
        ),
        "filters": grids.filter_grid(artifacts.read_npz(files.interpretation("base"))),
        "blank_shares": figures.blank_shares(shares),
    }
    for name, arrays in networks.items():
        maps = {layer: arrays[f"activations/{layer}"] for layer in arrays["layers"]}
        drawn[f"activations_{name}"] = grids.activation_grid(maps, shares[name])
    return drawn


def heatmaps(seen: dict[paths.Rung, gallery.Seen], class_names: list[str]) -> dict[str, "Figure"]:
    """Returns one picture as all rungs see it, and every rung's mistakes, under heatmaps."""
    examples = [
        (f"{rung}\n{words}", pixels)
        for rung, arrays in seen.items()
        for words, pixels in gallery.strips(arrays, {"example"}, class_names)
    ]
    strips = {rung: gallery.strips(arrays, LOOKED_AT, class_names) for rung, arrays in seen.items()}
    return {
        "heatmaps": grids.heatmaps(examples, class_names),
        **{f"heatmaps_{r}": grids.heatmaps(found, class_names) for r, found in strips.items()},
    }


def content(
    files: paths.DatasetPaths,
    params: settings.Settings,
    ladder: pd.DataFrame,
    predictions: dict[paths.Rung, pd.DataFrame],
    class_names: list[str],
    seen: dict[paths.Rung, gallery.Seen],
    made: dict[str, pd.DataFrame],
    drawn: dict[str, Path],
) -> page.Content:
    """Returns all that the page tells."""
    manifest = pd.read_csv(files.manifest)
    images = {subset: artifacts.read_npy(files.images(subset)) for subset in paths.SUBSETS}
    suspected = pd.read_csv(files.reports / "suspects.csv")
    return page.Content(
        source=files.source,
        params=artifacts.params_of(files.reports / "climb.lock"),
        class_names=class_names,
        ladder=ladder,
        paired=pd.read_csv(files.reports / "paired.csv"),
        book=pd.read_csv(files.reports / "book.csv"),
        manifest=manifest,
        quarantine=pd.read_csv(files.quarantine),
        duplicates=pd.read_csv(files.reports / "duplicates.csv"),
        planted=pd.read_csv(files.reports / "planted.csv"),
        majority=evaluation.majority(manifest)["test"],
        control=report.control_of(files.reports, ladder, made["seeds_summary"]),
        seeds=made["seeds_summary"],
        seeds_steps=made["seeds_steps"],
        gains=made["learning_curve_gains"],
        recipes=made["recipes"],
        recipes_seeds=made["recipes_seeds"],
        runtimes=artifacts.read_json(files.reports / "runtime.json"),
        figures={name: path for name, path in drawn.items() if name in page.CAPTIONS},
        mistakes={r: gallery.pictures(s, "worst_mistakes", class_names) for r, s in seen.items()},
        example=[
            picture
            for rung, arrays in seen.items()
            for picture in gallery.pictures(arrays, "example", class_names, f"{rung}: ")
        ],
        everywhere=gallery.wrong_everywhere(predictions, images["test"], class_names, MISTAKES),
        suspects=gallery.suspects(suspected, manifest, images, class_names, SUSPECTS),
        suspected=len(suspected),
        views=gallery.views(
            images["train"], manifest["id"].iloc[0], params.augmentation, params.seed, VIEWS
        ),
    )


if __name__ == "__main__":
    errors.run(main)
