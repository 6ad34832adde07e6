"""Stores what VGG16 gives before its last block, for pictures and for views of them."""

from ladder import artifacts, errors, paths
from ladder.experiments import animals, on_base, plan
from ladder.networks import models, runtime
from ladder.pictures import augmentation


def main() -> None:
    settings = plan.load()
    size, views = settings.animals.image_size, settings.views
    runtime.start(settings.runtime_on_base, seed=None)
    arrays = artifacts.read_npz(plan.ANIMALS)
    model = models.pixels_to_features(on_base.BASE, size, plan.WEIGHTS)
    part = models.between(model, [on_base.BASE.cut])
    for subset in paths.SUBSETS:
        images = animals.enlarged(arrays[f"{subset}_images"], size)
        (maps,) = on_base.outputs(part, images)
        artifacts.write_npy(plan.activations(subset), maps)
    images = animals.enlarged(arrays["train_images"][: views.train_pictures], size)
    for number in range(1, views.count + 1):
        view = augmentation.view(images, slice(None), settings.augmentation, 0, number)
        (maps,) = on_base.outputs(part, view)
        artifacts.write_npy(paths.view(plan.VIEWS, number), maps)
    artifacts.write_json(plan.MACHINE, runtime.describe())


if __name__ == "__main__":
    errors.run(main)
