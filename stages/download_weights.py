"""Fetches the weights of the pretrained base (DLwP 5.3: VGG16 without its top)."""

from ladder import bases, errors, models, paths, settings, weights


def main() -> None:
    params = settings.load("base")
    base = bases.build(params.base.name)
    weights.load(base, params.base.weights)
    models.write(base, paths.base_weights(params.base))


if __name__ == "__main__":
    errors.run(main)
