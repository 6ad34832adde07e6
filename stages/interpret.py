"""Looks into one rung's saved model: activation maps and heatmaps of some test pictures.

DLwP 5.4.1 and 5.4.3. The file's arrays: weights_sha256, of the model; with a row per picture
gallery, id, label, probabilities (n, k), images (n, S, S, 3), and by method heatmaps (n, k, h, w),
of many classes only those that are looked at; kernels, of the first convolution (filters, height,
width, channels); of the example, the first picture: layers, blank_share, activations/<layer> (h, w,
channels).
"""

import sys

import numpy as np

from ladder import artifacts, errors, paths, rungs, settings
from ladder.evidence import interpretation, looks, prediction_tables, selection
from ladder.networks import bases, rung_models, runtime


class Params(settings.Section):
    dataset: settings.Dataset
    runtime: settings.Threads
    interpretation: settings.Galleries


def main() -> None:
    params = settings.load(Params)
    galleries, files = params.interpretation, paths.DatasetPaths(params.dataset.name)
    rung = rungs.named(sys.argv[1])
    predictions = artifacts.read_csv(files.predictions(rung))
    pictures = selection.gallery(predictions, galleries.picture, galleries.pictures_per_gallery)
    runtime.start(settings.Runtime(threads=params.runtime.threads, precision="float32"), seed=None)
    model, description = rung_models.read(files, rung)
    images = rung_models.images(files, description, "test")[pictures["row"]]
    blocks = bases.ends_of_blocks(description.base) if description.base else ()
    maps = interpretation.activation_maps(model, images[0], blocks)
    labels, probabilities = pictures["label"].to_numpy(), prediction_tables.probabilities(pictures)
    heatmaps = looks.heatmaps(model, images, labels, probabilities)
    arrays = {
        "weights_sha256": np.array(artifacts.sha256(files.weights(rung))),
        "gallery": np.array(pictures["gallery"].tolist()),
        "id": np.array(pictures["id"].tolist()),
        "label": labels,
        "probabilities": probabilities,
        "images": images,
        **{method: heatmap.astype(np.float16) for method, heatmap in heatmaps.items()},
        "kernels": interpretation.first_kernels(model),
        "layers": np.array(list(maps)),
        "blank_share": np.array([interpretation.blank_share(layer) for layer in maps.values()]),
        **{f"activations/{n}": interpretation.displayable(layer) for n, layer in maps.items()},
    }
    artifacts.write_npz(files.interpretation(rung), arrays)


if __name__ == "__main__":
    errors.run(main)
