"""Fetches the weights of VGG16, without its top (DLwP 5.3)."""

from ladder import errors
from ladder.experiments import on_base, plan
from ladder.networks import bases, models, weights


def main() -> None:
    model = bases.build(on_base.BASE.name)
    weights.load(model, on_base.PRETRAINED)
    models.write(model, plan.WEIGHTS)


if __name__ == "__main__":
    errors.run(main)
