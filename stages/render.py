"""Draws every figure of the reports and puts them on one page. No TensorFlow."""

from pathlib import Path

import pandas as pd

from ladder import artifacts, errors, paths, rungs, settings, tracking
from ladder.page import charts, examined, gallery, page, png, report
from ladder.pictures import corrections, manifests


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    augmentation: settings.Ranges


def main() -> None:
    params = settings.load(Params)
    files = paths.DatasetPaths(params.dataset.name)
    reports, manifest = report.read(files.reports), artifacts.read_csv(files.manifest)
    names = manifests.class_names(manifest)
    histories = {rung: pd.read_csv(files.history(rung)) for rung in rungs.RUNGS}
    seen = {rung: artifacts.read_npz(files.interpretation(rung)) for rung in rungs.RUNGS}
    small = {
        **charts.of_climb(reports, histories, names),
        **charts.of_studies(reports.studies, reports.ladder),
        "blank_shares": charts.blank_shares(seen),
    }
    large = {  # too large for git
        **charts.of_networks(seen, artifacts.read_npz(files.interpretation("base"))),
        **charts.of_heatmaps(seen, names),
    }
    drawn: dict[str, Path] = {}
    for folder, figures in ((files.reports, small), (files.root, large)):
        for name, figure in figures.items():
            drawn[name] = folder / f"figures/{name}.png"
            png.write(drawn[name], figure)
    images = {subset: artifacts.read_npy(files.images(subset)) for subset in paths.SUBSETS}
    examination = examined.Examination(
        pictures=artifacts.read_csv(files.examination("pictures")),
        findings=artifacts.read_csv(files.examination("findings")),
        by_class=artifacts.read_csv(files.examination("by_class")),
    )
    effects = corrections.no_effects()
    if files.examination("corrections").is_file():
        effects = artifacts.read_csv(files.examination("corrections"))
    shown = gallery.build(
        reports, manifest, images, seen, params.augmentation, params.seed, examination, effects
    )
    quarantine = artifacts.read_csv(files.quarantine)
    content = page.Content(reports, manifest, quarantine, examination, shown, drawn, effects)
    artifacts.write_text(files.reports / "ladder.html", page.build(content))
    for rung, arrays in seen.items():
        tracking.log_figures(
            files.name,
            str(arrays["weights_sha256"]),
            charts.of_run(histories[rung], reports.predictions[rung], names),
            drawn[f"heatmaps_{rung}"],
            [pixels for _, pixels in gallery.strips(arrays, charts.LOOKED_AT, names)],
        )


if __name__ == "__main__":
    errors.run(main)
