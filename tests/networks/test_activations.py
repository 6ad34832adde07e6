import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import FIT
from ladder import artifacts, errors, settings
from ladder.networks import activations, models, training
from ladder.networks.runtime import keras
from ladder.pictures import augmentation

BASE = settings.BuiltBase(name="vgg16", weights="none", preprocessing="imagenet", cut="block4_pool")
RANGES = settings.Augmentation(
    views=2,
    rotation_degrees=40,
    shift_fraction=0.2,
    shear_degrees=0.2,
    zoom_fraction=0.2,
    horizontal_flip=True,
)
FULL = settings.Extraction(batch_size=4, storage="float32")


def drawn(count: int = 10) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48, 3), np.uint8)


def pretrained() -> keras.Model:
    keras.utils.set_random_seed(0)
    description = models.Description(
        rung="fine_tuned",
        image_size=48,
        class_names=["a", "b"],
        dropout=0.0,
        base=BASE,
        fed="images",
    )
    return models.build(description)


def test_what_is_stored_is_what_the_layers_say(tmp_path: Path) -> None:
    pixels, layers = drawn(), {"block4_pool": tmp_path / "a.npy", "block5_pool": tmp_path / "f.npy"}
    part = models.between(pretrained(), layers)
    activations.extract(part, pixels.__getitem__, len(pixels), layers, FULL)
    expected = part(pixels)
    for path, output in zip(layers.values(), expected, strict=True):
        np.testing.assert_allclose(artifacts.read_npy(path), output, rtol=1e-4, atol=1e-5)
    assert artifacts.read_npy(tmp_path / "a.npy").shape == (10, 3, 3, 512)
    assert artifacts.read_npy(tmp_path / "f.npy").shape == (10, 1, 1, 512)


def test_storage_decides_the_type(tmp_path: Path) -> None:
    pixels, layers = drawn(3), {"block5_pool": tmp_path / "f.npy"}
    half = settings.Extraction(batch_size=2, storage="float16")
    part = models.between(pretrained(), layers)
    activations.extract(part, pixels.__getitem__, len(pixels), layers, half)
    assert artifacts.read_npy(tmp_path / "f.npy").dtype == np.float16


@pytest.mark.parametrize(
    ("value", "advice"),
    [(7e4, "extraction.storage: float32"), (np.nan, "runtime.precision"), (np.inf, "precision")],
)
def test_numbers_that_do_not_fit_name_the_parameter(value: float, advice: str) -> None:
    values = np.array([1, value], np.float32)
    with pytest.raises(errors.InputError, match=f"output of block4_pool.*float16.*{advice}"):
        activations.stored(values, "float16", "block4_pool")


def test_an_interrupted_extraction_leaves_nothing_half(tmp_path: Path) -> None:
    def failing(rows: slice) -> NDArray[np.uint8]:
        if rows.start > 0:
            raise KeyboardInterrupt
        return drawn()[rows]

    layers = {"block5_pool": tmp_path / "f.npy"}
    with pytest.raises(KeyboardInterrupt):
        activations.extract(models.between(pretrained(), layers), failing, 10, layers, FULL)
    assert list(tmp_path.iterdir()) == []


def test_views_go_on_where_they_were_interrupted(tmp_path: Path) -> None:
    pixels, asked = drawn(), []
    partial, folders = tmp_path / "partial", {"block5_pool": tmp_path / "views/features"}
    part = models.between(pretrained(), folders)
    broken = True

    def view(number: int, rows: slice) -> NDArray[np.uint8]:
        if number == 3 and broken:
            raise KeyboardInterrupt
        asked.append(number)
        return augmentation.view(pixels, rows, RANGES, 0, number)

    with pytest.raises(KeyboardInterrupt):
        activations.extract_views(part, view, 10, 3, folders, partial, FULL)
    assert not folders["block5_pool"].exists()
    assert set(asked) == {1, 2}
    asked.clear()
    broken = False
    before = sum(artifacts.read_json(path)["seconds"] for path in partial.glob("seconds-*.json"))
    seconds = activations.extract_views(part, view, 10, 3, folders, partial, FULL)
    assert seconds > before > 0
    assert set(asked) == {3}
    assert [*tmp_path.glob("partial*")] == []
    views = artifacts.read_views(folders["block5_pool"])
    assert len(views) == 3
    for number, stored in enumerate(views, 1):
        (expected,) = keras.tree.flatten(
            part(augmentation.view(pixels, slice(10), RANGES, 0, number))
        )
        np.testing.assert_allclose(stored, expected, rtol=1e-4, atol=1e-5)


def pooled() -> keras.Model:
    """Returns a base of two outputs that costs nothing."""
    pixels = keras.Input((48, 48, 3))
    cut = keras.layers.AveragePooling2D(8)(pixels)
    return keras.Model(pixels, [cut, keras.layers.AveragePooling2D(6)(cut)])


def interrupting(act: Callable[..., None], path: Path, moment: str) -> Callable[..., None]:
    """Returns `act`, killed at its first call for `path`: before it acts, after, or amid files."""
    waiting = [path]

    def killed(*arguments: Any, **options: Any) -> None:
        if path not in arguments or not waiting:
            act(*arguments, **options)
            return
        waiting.clear()
        if moment == "amid":
            sorted(path.iterdir())[0].unlink()
        if moment == "after":
            act(*arguments, **options)
        raise KeyboardInterrupt

    return killed


# Where the end of `extract_views` can be killed, in its order.
ENDS = [
    (shutil, "rmtree", "views/activations", "before"),
    (shutil, "rmtree", "views/activations", "amid"),
    (os, "replace", "views/activations", "before"),
    (os, "replace", "views/activations", "after"),
    (shutil, "rmtree", "views/features", "before"),
    (shutil, "rmtree", "views/features", "amid"),
    (os, "replace", "views/features", "before"),
    (os, "replace", "views/features", "after"),
    (shutil, "rmtree", "partial", "amid"),
    (shutil, "rmtree", "partial", "after"),
]


@pytest.mark.parametrize("dvc_removes", [False, True])
@pytest.mark.parametrize(("module", "function", "name", "moment"), ENDS)
def test_views_are_whole_after_a_kill_at_the_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    function: str,
    name: str,
    moment: str,
    dvc_removes: bool,
) -> None:
    part, pixels = pooled(), drawn()
    folders = {layer: tmp_path / f"views/{layer}" for layer in ("activations", "features")}
    for folder in folders.values():  # of a run before, with other params
        artifacts.write_npy(folder / "view-01.npy", np.zeros(1))

    def run() -> float:
        return activations.extract_views(
            part,
            lambda number, rows: augmentation.view(pixels, rows, RANGES, 0, number),
            10, 2, folders, tmp_path / "partial", FULL,
        )  # fmt: skip

    with monkeypatch.context() as patched:
        act = getattr(module, function)
        patched.setattr(module, function, interrupting(act, tmp_path / name, moment))
        with pytest.raises(KeyboardInterrupt):
            run()
    if dvc_removes:  # as it does before it runs a stage again
        shutil.rmtree(tmp_path / "views")
    assert run() > 0
    assert [*tmp_path.glob("partial*")] == []
    expected = [part(augmentation.view(pixels, slice(10), RANGES, 0, n)) for n in (1, 2)]
    for i, folder in enumerate(folders.values()):
        stored = artifacts.read_views(folder)
        assert len(stored) == 2
        for view, outputs in zip(stored, expected, strict=True):
            np.testing.assert_allclose(view, outputs[i], rtol=1e-5)


def test_a_kill_between_a_views_layers_makes_the_view_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    folders = {layer: tmp_path / f"views/{layer}" for layer in ("activations", "features")}

    def run() -> None:
        def view(number: int, rows: slice) -> NDArray[np.uint8]:
            asked.append(number)
            return drawn()[rows]

        activations.extract_views(pooled(), view, 4, 2, folders, tmp_path / "partial", FULL)

    second = tmp_path / "partial/activations/view-02.npy"
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", interrupting(os.replace, second, "before"))
        with pytest.raises(KeyboardInterrupt):
            run()
    assert (tmp_path / "partial/features/view-02.npy").exists() != second.exists()
    asked.clear()
    run()
    assert asked == [2]
    assert [len(artifacts.read_views(folder)) for folder in folders.values()] == [2, 2]


def test_no_views_make_empty_folders(tmp_path: Path) -> None:
    folders = {"block5_pool": tmp_path / "views/features"}
    part = models.between(pretrained(), folders)
    seconds = activations.extract_views(
        part, lambda n, rows: drawn()[rows], 10, 0, folders, tmp_path / "p", FULL
    )
    assert seconds == 0
    assert artifacts.read_views(folders["block5_pool"]) == []


def test_a_digest_names_what_it_is_made_of() -> None:
    assert activations.digest("a", 1) == activations.digest("a", 1)
    assert activations.digest("a", 1) != activations.digest("a", 2)


@pytest.fixture(params=["float32", "mixed_bfloat16"])
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("unfreeze_from", "start"), [("flatten", "block5_pool"), ("block5_conv1", "block4_pool")]
)
def test_stored_views_train_as_pixels_through_all_layers_do(
    tmp_path: Path, policy: str, unfreeze_from: str, start: str
) -> None:
    """Decision 1 of the design: the same arithmetic, without paying for it every epoch."""
    pixels, labels = drawn(8), np.array([0, 1] * 4)
    fit = settings.Fit.model_validate({**FIT, "learning_rate": 1e-4, "patience": 9})
    extraction, tolerance = FULL, 1e-5
    if policy == "mixed_bfloat16":
        extraction, tolerance = FULL.model_copy(update={"storage": "float16"}), 1e-3
    histories, weights = [], []
    for stored in (False, True):
        model = pretrained()
        models.freeze(model, unfreeze_from)
        inputs, part = training.augmented(pixels, RANGES, seed=7), model
        held_out: NDArray[np.float32] | NDArray[np.uint8] = pixels
        if stored:
            folders = {start: tmp_path / "views"}
            front = models.between(model, folders)
            activations.extract_views(
                front,
                lambda number, rows: augmentation.view(pixels, rows, RANGES, 7, number),
                8, 2, folders, tmp_path / "partial", extraction,
            )  # fmt: skip
            held_out = np.asarray(keras.tree.flatten(front(pixels))[0]).astype(np.float32)
            inputs, part = (
                training.cycled(artifacts.read_views(folders[start])),
                models.tail(model, start),
            )
        batches = training.Batches(inputs, labels, fit.batch_size, seed=7)
        histories.append(training.fit(part, batches, (held_out, labels), fit))
        weights.append([np.asarray(weight) for weight in model.trainable_weights])
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=tolerance)
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)
