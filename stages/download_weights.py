"""Fetches the weights of the pretrained base (DLwP 5.3: VGG16 without its top)."""

from ladder import errors, paths, settings
from ladder.networks import bases, models, weights


class Params(settings.Section):
    base: settings.Base


def main() -> None:
    params = settings.load(Params)
    base = bases.build(params.base.name)
    weights.load(base, params.base.weights)
    models.write(base, paths.base_weights(params.base))


if __name__ == "__main__":
    errors.run(main)
