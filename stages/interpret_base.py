"""Draws what the base's filters respond to most, layer by layer: edges, textures, parts.

DLwP 5.4.2. The file's arrays, by layer: (filters_per_layer, pattern_size, pattern_size, 3).
"""

from tqdm import tqdm

from ladder import artifacts, errors, paths, settings
from ladder.evidence import interpretation
from ladder.networks import bases, models, runtime


class Params(settings.Section):
    seed: settings.Seed
    dataset: settings.Dataset
    base: settings.Base
    runtime: settings.Threads
    interpretation: settings.Patterns


def main() -> None:
    params = settings.load(Params)
    patterns_wanted = params.interpretation
    runtime.start(
        settings.Runtime(threads=params.runtime.threads, precision="float32"), params.seed
    )
    built = bases.resolved(params.base.model_copy(update={"output": settings.AUTO}))  # all of it
    base = models.pixels_to_features(built, patterns_wanted.pattern_size, paths.base_weights(built))
    layers = bases.filter_layers(built, patterns_wanted.filter_layers)
    patterns = {
        layer: interpretation.filter_patterns(
            base,
            layer,
            range(patterns_wanted.filters_per_layer),
            patterns_wanted.steps,
            params.seed,
        )
        for layer in tqdm(layers, "filter patterns", unit="layer", disable=None)
    }
    files = paths.DatasetPaths(params.dataset.name)
    artifacts.write_npz(files.interpretation("base"), patterns)


if __name__ == "__main__":
    errors.run(main)
