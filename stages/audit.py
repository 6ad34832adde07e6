"""Lists pictures that stand, nearly, in two subsets, and labels that are probably wrong.

And it plants some of both, to tell how many it finds.
"""

import numpy as np
import pandas as pd

from ladder import artifacts, errors, paths, settings
from ladder.evidence import duplicates, planted, suspects
from ladder.pictures import images, similarity


class Params(settings.Section):
    dataset: settings.Dataset
    audit: settings.Audit


def main() -> None:
    params = settings.load(Params)
    files = paths.DatasetPaths(params.dataset.name)
    manifest = artifacts.read_csv(files.manifest)
    pixels = [artifacts.read_npy(files.images(subset)) for subset in paths.SUBSETS]
    near = similarity.pairs(pixels, params.audit.hash_distance)
    artifacts.write_csv(files.duplicates, duplicates.between_subsets(manifest, near))
    # Of test there are no features: what finds its suspects is its predictions.
    known = manifest[manifest["subset"] != "test"]
    features = np.concatenate(
        [artifacts.read_npy(files.features(subset)) for subset in ("train", "validation")]
    )
    groups = similarity.groups(len(manifest), near)[: len(known)]
    labels = known["label"].to_numpy(np.int64)
    probabilities = suspects.out_of_fold(features, labels, groups, params.audit)
    artifacts.write_csv(files.suspects, suspects.find(known, probabilities))
    wrong = suspects.rows(labels, probabilities)
    copied = images.take(pixels, planted.drawn(len(manifest), seed=0))
    tables = [
        planted.copies(copied, params.audit.hash_distance),
        planted.turned_labels(features, labels, groups, wrong, params.audit, seed=0),
    ]
    artifacts.write_csv(files.planted, pd.concat(tables))


if __name__ == "__main__":
    errors.run(main)
