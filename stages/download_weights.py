"""Fetches the weights of the pretrained base, without its top (DLwP 5.3)."""

from ladder import errors, paths, settings
from ladder.networks import bases, models, weights


class Params(settings.Section):
    base: settings.Base


def main() -> None:
    params = settings.load(Params)
    model = bases.build(params.base.name)
    weights.load(model, params.base)
    models.write(model, paths.base_weights(params.base))


if __name__ == "__main__":
    errors.run(main)
