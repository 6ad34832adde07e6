"""Draws every figure of the reports and puts them on one page. No TensorFlow."""

from typing import TYPE_CHECKING

import pandas as pd

from ladder import (
    artifacts,
    calibration,
    errors,
    evaluation,
    figures,
    gallery,
    page,
    paths,
    settings,
    tracking,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUSPECTS, VIEWS, MISTAKES = 12, 6, 8  # shown on the page


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
    folder = files.reports / "figures"
    tables = {
        name: pd.read_csv(files.reports / f"{name}.csv")
        for name in ("ladder", "paired", "book", "duplicates", "suspects")
    }
    manifest, quarantine = pd.read_csv(files.manifest), pd.read_csv(files.quarantine)
    class_names = sorted(manifest["class_name"].unique())
    predictions = {
        rung: pd.read_csv(files.reports / "predictions" / f"{rung}.csv") for rung in paths.RUNGS
    }
    seen = {rung: artifacts.read_npz(files.interpretation(rung)) for rung in paths.RUNGS}
    drawn = charts(files, tables["ladder"], predictions, class_names)
    drawn |= studies(files) | insides(files, seen)
    examples = [
        (f"{rung}\n{words}", pixels)
        for rung, arrays in seen.items()
        for words, pixels in gallery.strips(arrays, {"example"}, class_names)
    ]
    drawn["heatmaps"] = figures.heatmaps(examples, class_names)
    looked_at = {
        rung: gallery.strips(arrays, {"example", "worst_mistakes"}, class_names)
        for rung, arrays in seen.items()
    }
    for rung, strips in looked_at.items():
        drawn[f"heatmaps_{rung}"] = figures.heatmaps(strips, class_names)
    for name, figure in drawn.items():
        artifacts.write_png(folder / f"{name}.png", figure)
    for rung, arrays in seen.items():
        tracking.log_heatmaps(
            files.source,
            str(arrays["weights_sha256"]),
            folder / f"heatmaps_{rung}.png",
            [pixels for _, pixels in looked_at[rung]],
        )
    images = {subset: artifacts.read_npy(files.images(subset)) for subset in paths.SUBSETS}
    content = page.Content(
        source=files.source,
        params=artifacts.params_of(files.reports / "climb.lock"),
        class_names=class_names,
        ladder=tables["ladder"],
        paired=tables["paired"],
        book=tables["book"],
        manifest=manifest,
        quarantine=quarantine,
        duplicates=tables["duplicates"],
        runtimes=artifacts.read_json(files.reports / "runtime.json"),
        figures={name: folder / f"{name}.png" for name in drawn if name in page.CAPTIONS},
        mistakes={r: gallery.pictures(s, "worst_mistakes", class_names) for r, s in seen.items()},
        example=[
            picture
            for rung, arrays in seen.items()
            for picture in gallery.pictures(arrays, "example", class_names, f"{rung}: ")
        ],
        everywhere=gallery.wrong_everywhere(predictions, images["test"], class_names, MISTAKES),
        suspects=gallery.suspects(tables["suspects"], manifest, images, class_names, SUSPECTS),
        suspected=len(tables["suspects"]),
        views=gallery.views(
            images["train"], manifest["id"].iloc[0], params.augmentation, params.seed, VIEWS
        ),
    )
    artifacts.write_text(files.reports / "ladder.html", page.build(content))


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
        "staircase": figures.staircase(ladder, page.DATASETS.get(files.source, files.source)),
        "curves": figures.histories(histories),
        "confusion": figures.confusions(counts, class_names),
        "reliability": figures.reliability(bins, areas["expected_calibration_error"]),
        "roc": figures.roc(roc, areas["auc"]),
        "precision_recall": figures.precision_recall(precision_recall, areas["average_precision"]),
    }


def studies(files: paths.DatasetPaths) -> dict[str, "Figure"]:
    """Returns the figures of those studies that have been made."""
    folder, drawn = files.reports / "studies", {}
    if (folder / "seeds.csv").is_file():
        every, means = (pd.read_csv(folder / f"{n}.csv") for n in ("seeds", "seeds_summary"))
        drawn["seeds"] = figures.seeds(
            every.query("subset == 'test'"), means.query("subset == 'test'"), {}
        )
    if (folder / "learning_curve.csv").is_file():
        points = pd.read_csv(folder / "learning_curve.csv")
        drawn["learning_curve"] = figures.learning_curve(points)
    return drawn


def insides(files: paths.DatasetPaths, seen: dict[paths.Rung, gallery.Seen]) -> dict[str, "Figure"]:
    """Returns the figures of activation maps, blank channels and filter patterns."""
    networks = {"scratch": seen["scratch"], "base": seen["features"]}
    shares = {
        name: dict(zip(arrays["layers"], arrays["blank_share"], strict=True))
        for name, arrays in networks.items()
    }
    drawn = {
        "filters": figures.filter_grid(artifacts.read_npz(files.interpretation("base"))),
        "blank_shares": figures.blank_shares(shares),
    }
    for name, arrays in networks.items():
        maps = {layer: arrays[f"activations/{layer}"] for layer in arrays["layers"]}
        drawn[f"activations_{name}"] = figures.activation_grid(maps, shares[name])
    return drawn


if __name__ == "__main__":
    errors.run(main)
