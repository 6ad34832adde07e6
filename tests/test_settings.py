import json
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ladder import base_names, errors, settings

REPOSITORY = Path(__file__).parents[1]
ADVICE = r"Correct .*params\.yaml; docs/parameters\.md says what each key means\."

Params = dict[str, Any]
Write = Callable[[Params], Path]


AUTO: dict[str, Any] = {
    "base.cut": "auto",
    "fine_tune.unfreeze_from": "auto",
    "interpretation.filter_layers": "auto",
}
FILE: dict[str, Any] = {
    "base.weights": "keras",
    "base.weights_file": "weights/vgg16.h5",
    "base.weights_sha256": "0" * 64,
}


def change(params: Params, key: str, value: object) -> None:
    """Sets a value by its dotted key."""
    *sections, last = key.split(".")
    for section in sections:
        params = params[section]
    params[last] = value


def write_text(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


def test_the_repositorys_params_are_valid() -> None:
    assert settings.read(REPOSITORY / "params.yaml").base.name == "vgg16"


def test_every_value_is_read_as_written(params: Params, write_params: Write) -> None:
    assert settings.read(write_params(params)).model_dump() == params


@pytest.mark.parametrize(
    ("text", "number"), [("1e-4", 0.0001), ("2e-05", 0.00002), ("1.0e-3", 0.001), ("1", 1.0)]
)
def test_a_learning_rate_without_a_point_is_a_number(
    params: Params, write_params: Write, text: str, number: float
) -> None:
    change(params, "train_head.learning_rate", 0.125)
    path = write_params(params)
    path.write_text(path.read_text().replace("0.125", text))
    assert settings.read(path).train_head.learning_rate == number


@pytest.mark.parametrize(
    ("key", "value", "expected", "received"),
    [
        ("train_head.epochs", "30", "a valid integer", "'30'"),
        ("train_head.epochs", 30.5, "a valid integer", "30.5"),
        ("train_head.epochs", True, "a valid integer", "True"),
        ("train_head.learning_rate", "1e-4", "a valid number", "'1e-4'"),
        ("train_head.learning_rate", None, "a valid number", "None"),
        ("evaluation.margin_points", "2", "a valid number", "'2'"),
        ("augmentation.horizontal_flip", 1, "a valid boolean", "1"),
        ("dataset.sha256", 7, "a valid string", "7"),
        ("split", 1000, "a valid dictionary or instance of Split", "1000"),
    ],
)
def test_a_wrong_type_is_refused(
    params: Params, write_params: Write, key: str, value: object, expected: str, received: str
) -> None:
    change(params, key, value)
    message = rf"params\.yaml: {key}: expected {expected}\. Received: {received}\. {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(write_params(params))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("seed", -1, "greater than or equal to 0"),
        ("seed", 2**32, "less than 4294967296"),
        ("image_size", 47, "greater than or equal to 48"),
        ("image_size", 1025, "less than or equal to 1024"),
        ("split.train", 0, "a number of pictures, from 1, or a share below 1"),
        ("split.train", 0.0, "a number of pictures, from 1, or a share below 1"),
        ("split.validation", 1.0, "a number of pictures, from 1, or a share below 1"),
        ("split.test", True, "a number of pictures, from 1, or a share below 1"),
        ("split.hash_distance", 257, "less than or equal to 256"),
        ("split.unreadable_share", 1.5, "less than or equal to 1"),
        ("split.group", "(a", r"a regular expression \(missing \), .*\)"),
        ("dataset.name", "a b", r"String should match pattern .*"),
        ("dataset.name", "../a", r"String should match pattern .*"),
        ("dataset.name", "a" * 61, "String should have at most 60 characters"),
        ("dataset.name", "Weights", r"a name other than .*predictions.*weights"),
        ("split.shuffle_train_labels", 0, "false, or the number of a deal, from 1"),
        ("split.shuffle_train_labels", True, "false, or the number of a deal, from 1"),
        ("split.shuffle_train_labels", "1", "false, or the number of a deal, from 1"),
        ("train_head.epochs", 0, "greater than or equal to 1"),
        ("train_head.batch_size", 0, "greater than or equal to 1"),
        ("train_head.patience", 0, "greater than or equal to 1"),
        ("train_head.learning_rate", 0, "greater than 0"),
        ("train_head.learning_rate", 1.5, "less than or equal to 1"),
        ("train_head.dropout", 1.0, "less than 1"),
        ("train_head.dropout", -0.1, "greater than or equal to 0"),
        ("augmentation.views", -1, "greater than or equal to 0"),
        ("augmentation.rotation_degrees", 181, "less than or equal to 180"),
        ("augmentation.shear_degrees", 90, "less than 90"),
        ("augmentation.zoom_fraction", 1, "less than 1"),
        ("audit.hash_distance", -1, "greater than or equal to 0"),
        ("audit.hash_distance", 257, "less than or equal to 256"),
        ("audit.folds", 1, "greater than or equal to 2"),
        ("audit.inverse_regularization", 0, "greater than 0"),
        ("evaluation.margin_points", 0, "greater than 0"),
        ("evaluation.margin_points", -2.0, "greater than 0"),
        ("evaluation.margin_points", 50.5, "less than or equal to 50"),
        ("runtime.threads", -1, "greater than or equal to 0"),
        ("dataset.source", "mnist", "'cifar10', 'dogs_vs_cats' or 'folder'"),
        ("base.weights", "imagenet", "'torchvision', 'keras', 'package' or 'none'"),
        ("base.preprocessing", "none", "'imagenet' or 'book'"),
        ("extraction.storage", "bfloat16", "'float16' or 'float32'"),
        ("runtime.precision", "float16", "'auto', 'float32' or 'bfloat16'"),
        ("train_head.schedule", "linear", "'constant' or 'cosine'"),
        ("interpretation.pictures_per_gallery", 0, "greater than or equal to 1"),
        ("interpretation.filters_per_layer", 65, "less than or equal to 64"),
        ("interpretation.pattern_size", 31, "greater than or equal to 32"),
        ("interpretation.steps", 0, "greater than or equal to 1"),
        ("dataset.sha256", "A" * 64, r"String should match pattern .*"),
        ("dataset.sha256", "a" * 63, r"String should match pattern .*"),
    ],
)
def test_a_value_out_of_range_is_refused(
    params: Params, write_params: Write, key: str, value: object, expected: str
) -> None:
    change(params, key, value)
    message = rf"{key}: expected {expected}\. Received: {re.escape(repr(value))}\. {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(write_params(params))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 2**32 - 1),
        ("image_size", 48),
        ("split.shuffle_train_labels", 1),
        ("image_size", 1024),
        ("augmentation.views", 0),
        ("augmentation.rotation_degrees", 180),
        ("evaluation.margin_points", 50),
        ("train_head.dropout", 0),
        ("train_head.learning_rate", 1),
        ("dataset.sha256", "0123456789abcdef" * 4),
        ("dataset.name", "a-b-" * 14 + "2024"),
        ("dataset.name", "dogs_vs_cats"),
        ("split.train", 1),
        ("split.hash_distance", None),
        ("split.hash_distance", 0),
        ("split.unreadable_share", 0),
        ("split.unreadable_share", 1),
        ("split.group", "^[^/]*/([0-9]+)"),
    ],
)
def test_a_value_at_the_end_of_its_range_is_taken(
    params: Params, write_params: Write, key: str, value: object
) -> None:
    change(params, key, value)
    assert settings.read(write_params(params)).model_dump() == params


@pytest.mark.parametrize(
    ("share", "size", "image_size", "expected"),
    [
        (0.7, 48, 96, 7),
        (0.0, 48, 96, 0),
        (0.99, 48, 96, 9),  # the last is on whole pictures
        (0.7, 96, 96, 0),
        (0.7, 128, 96, 0),
    ],
)
def test_a_share_of_the_epochs_is_on_smaller_pictures(
    params: Params, write_params: Write, share: float, size: int, image_size: int, expected: int
) -> None:
    small = {"epochs": 10, "small_share": share, "small_image_size": size}
    params["train_scratch_augmented"] |= small
    fit = settings.read(write_params(params)).train_scratch_augmented
    assert fit.small_epochs(image_size) == expected


@pytest.mark.parametrize("picture", [0, 999, "cat.1700"])
def test_a_picture_is_a_place_or_an_id(
    params: Params, write_params: Write, picture: int | str
) -> None:
    params["interpretation"]["picture"] = picture
    assert settings.read(write_params(params)).interpretation.picture == picture


@pytest.mark.parametrize("picture", [-1, 1.5, None, True])
def test_what_is_neither_is_refused(params: Params, write_params: Write, picture: object) -> None:
    params["interpretation"]["picture"] = picture
    with pytest.raises(
        errors.InputError, match=rf"interpretation\.picture.*: {picture}\. {ADVICE}"
    ):
        settings.read(write_params(params))


@pytest.mark.parametrize(
    ("key", "value", "expected", "received"),
    [
        (
            "interpretation.filter_layers",
            ["block1_conv1", "block2_conv9"],
            "interpretation.filter_layers to be auto, or of block1_conv1, .*block5_conv3",
            "'block2_conv9'",
        ),
        (
            "interpretation.filter_layers",
            ["block1_pool"],
            "interpretation.filter_layers to be auto, or of block1_conv1, .*block5_conv3",
            "'block1_pool'",
        ),
    ],
)
def test_a_layer_that_does_not_serve_is_named_with_those_that_do(
    params: Params, write_params: Write, key: str, value: object, expected: str, received: str
) -> None:
    change(params, key, value)
    message = rf"params\.yaml: expected {expected}\. Received: {received}\. {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(write_params(params))


@pytest.mark.parametrize("number", [".nan", ".inf"])
def test_a_learning_rate_that_is_not_finite_is_refused(
    params: Params, write_params: Write, number: str
) -> None:
    change(params, "train_head.learning_rate", 0.125)
    path = write_params(params)
    path.write_text(path.read_text().replace("0.125", number))
    message = rf"train_head\.learning_rate: expected .* Received: {number[1:]}\. {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(path)


@pytest.mark.parametrize(
    "key", ["learning_rat", "train_head.momentum", "fine_tune.dropout", "evaluation.margin"]
)
def test_an_unknown_key_is_refused(params: Params, write_params: Write, key: str) -> None:
    change(params, key, 0.9)
    message = rf"params\.yaml: {key}: expected only known keys\. Received: 0\.9\. {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(write_params(params))


@pytest.mark.parametrize(
    "section", [None, "split", "augmentation", "evaluation", "train_scratch", "fine_tune"]
)
def test_no_key_has_a_default(params: Params, write_params: Write, section: str | None) -> None:
    keys = params if section is None else params[section]
    for key in list(keys):
        value = keys.pop(key)
        message = rf"\b{key}: expected the key to be there\. Received: no such key\. {ADVICE}"
        with pytest.raises(errors.InputError, match=message):
            settings.read(write_params(params))
        keys[key] = value


@pytest.mark.parametrize(
    ("views", "key", "name", "expected"),
    [
        (2, "base.cut", "block6_pool", "base.cut to be one of auto, block1_conv1, .*, block5_pool"),
        (2, "base.output", "block6_pool", "base.output to be one of auto, block1_conv1"),
        (2, "base.output", "block1_conv1", "base.output to be a layer after block1_conv1"),
        (2, "base.output", "block4_pool", "base.cut to be a layer before block4_pool, whose"),
        (2, "base.output", "block3_pool", "base.cut to be a layer before block3_pool, whose"),
        (
            2,
            "fine_tune.unfreeze_from",
            "flatten",
            "fine_tune.unfreeze_from to be one of auto, block1_",
        ),
        (2, "fine_tune.unfreeze_from", "block4_pool", "to come after base.cut, block4_pool"),
        (2, "train_end_to_end.unfreeze_from", "block5_conv1", "one of flatten for .*views: 2"),
        (0, "train_end_to_end.unfreeze_from", "block6_conv1", "one of block1_conv1, .*, flatten"),
    ],
)
def test_a_layer_that_cannot_be_trained_from_is_refused(
    params: Params, write_params: Write, views: int, key: str, name: str, expected: str
) -> None:
    change(params, "augmentation.views", views)
    change(params, key, name)
    message = rf"params\.yaml: expected .*{expected}.*\. Received: .*{key} '{name}'.* {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(write_params(params))


@pytest.mark.parametrize(
    ("changes", "expected", "received"),
    [
        ({"base.name": "resnet"}, "base.name: expected one of vgg16, .*, efficientnet_l", "'resn"),
        ({"base.name": "resnet50"}, "base.cut to be one of auto, pool1_pool, .*avg_pool", "block4"),
        (
            {"base.name": "vgg19", "base.weights": "torchvision"},
            "base: expected weights of vgg19 to be one of keras, none",
            "torchvision",
        ),
        ({"base.image_size": 31}, "base.image_size: expected .*or equal to 32", "31"),
        (AUTO | {"base.name": "xception"}, "image_size.* to be 71 or more for xception", "48"),
        (
            AUTO | {"base.name": "inception_v3", "base.image_size": 75},
            "interpretation.pattern_size to be 75 or more for inception_v3",
            "32",
        ),
        (
            {"base.cut": "block2_pool", "base.output": "block4_pool"},
            "fine_tune.unfreeze_from to be no layer after block4_pool, base.output",
            "'block5_conv1'",
        ),
        ({"base.cut": "auto"}, "unfreeze_from to be auto too, or base.cut a layer", "'auto'"),
        (
            AUTO | {"base.cut": "block5_pool"},
            "base.cut to be a layer before block5_pool, whose output are the features",
            "'block5_pool'",
        ),
        (
            {"base.weights": "keras", "base.weights_file": "weights/vgg16.h5"},
            "base: expected weights_file and weights_sha256 both, or both null",
            "'weights/vgg16.h5' and None",
        ),
        (FILE | {"base.weights": "none"}, "base: expected weights: keras for weights_file", "none"),
        (
            FILE | {"base.weights_file": "/home/me/vgg16.h5"},
            "base.weights_file: expected a file in the project's folder",
            "'/home/me/vgg16.h5'",
        ),
        (
            FILE | {"base.weights_file": "../vgg16.h5"},
            "base.weights_file: expected a file in the project's folder",
            "'../vgg16.h5'",
        ),
    ],
)
def test_what_a_base_lacks_is_refused(
    params: Params, write_params: Write, changes: Params, expected: str, received: str
) -> None:
    for key, value in changes.items():
        change(params, key, value)
    message = rf"params\.yaml: (expected )?.*{expected}.*\. Received: .*{received}.* {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(write_params(params))


@pytest.mark.parametrize("name", base_names.BASES)
def test_every_base_has_layers_of_its_own_for_auto(
    params: Params, write_params: Write, name: str
) -> None:
    size = base_names.BASES[name].smallest_size
    changes = {"base.name": name, "base.image_size": size, "interpretation.pattern_size": 96}
    for key, value in (AUTO | changes).items():
        change(params, key, value)
    read = settings.read(write_params(params))
    assert read.base.pictures_size(read.image_size) == size
    assert read.base.names.title.lower().startswith(name[:3])


def test_the_base_sees_the_pictures_that_all_see_unless_it_has_a_size_of_its_own(
    params: Params, write_params: Write
) -> None:
    assert settings.read(write_params(params)).base.pictures_size(48) == 48
    change(params, "base.image_size", 224)
    assert settings.read(write_params(params)).base.pictures_size(48) == 224


def test_what_follows_a_layer_can_be_fine_tuned_by_auto(
    params: Params, write_params: Write
) -> None:
    change(params, "fine_tune.unfreeze_from", "auto")
    read = settings.read(write_params(params))
    assert (read.base.cut, read.fine_tune.unfreeze_from) == ("block4_pool", "auto")


@pytest.mark.parametrize("name", ["block1_conv1", "flatten"])
def test_without_stored_views_any_layer_can_be_trained_from(
    params: Params, write_params: Write, name: str
) -> None:
    change(params, "augmentation.views", 0)
    change(params, "train_end_to_end.unfreeze_from", name)
    change(params, "fine_tune.unfreeze_from", "block2_conv1")
    assert settings.read(write_params(params)).train_end_to_end.unfreeze_from == name


def test_no_more_can_be_used_than_there_are(params: Params, write_params: Write) -> None:
    change(params, "split.train_used_per_class", 4)
    assert settings.read(write_params(params)).split.train_used_per_class == 4
    change(params, "split.train_used_per_class", 5)
    message = rf"split: expected train_used_per_class of at most 4, .*: 5.* {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(write_params(params))


def test_subsets_are_all_counts_or_all_shares(params: Params, write_params: Write) -> None:
    split = params["split"]
    assert settings.read(write_params(params)).split.counts == {
        "train": 4,
        "validation": 2,
        "test": 2,
    }
    split |= {"train": 0.6, "validation": 0.2, "test": 0.2, "train_used_per_class": 1000}
    read = settings.read(write_params(params)).split
    assert (read.counts, read.train, read.train_used_per_class) == (None, 0.6, 1000)
    for change, expected in (
        ({"test": 0.3}, "shares of train, validation and test that sum to 1"),
        ({"test": 2}, "train, validation and test all counts or all shares"),
    ):
        params["split"] = {**split, **change}
        with pytest.raises(errors.InputError, match=rf"split: expected {expected}\. .* {ADVICE}"):
            settings.read(write_params(params))


def test_a_double_key_is_refused(params: Params, write_params: Write) -> None:
    path = write_params(params)
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 0, "seed": 1'))
    message = rf'(?s)expected valid YAML\. Received: .*found duplicate key "seed".*\. {ADVICE}'
    with pytest.raises(errors.InputError, match=message):
        settings.read(path)


@pytest.mark.parametrize(
    "text", ["seed: [", "seed: 0\n---\nseed: 1", "seed: !!python/object:os.system {}", "a: \x00"]
)
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, text: str) -> None:
    path = write_text(tmp_path, text)
    message = rf"(?s)params\.yaml: expected valid YAML\. Received: .+ {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(path)


@pytest.mark.parametrize(("text", "received"), [("", "None"), ("- seed", r"\['seed'\]")])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, received: str) -> None:
    path = write_text(tmp_path, text)
    message = rf"expected a valid dictionary .*\. Received: {received}\. {ADVICE}"
    with pytest.raises(errors.InputError, match=message):
        settings.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    message = r"params\.yaml: expected a file\. Received: none\. Run from the project's root\."
    with pytest.raises(errors.InputError, match=message):
        settings.read(tmp_path / "params.yaml")


class SeedAndSplit(settings.Section):
    """The keys of a stage that reads two sections whole."""

    seed: settings.Seed
    split: settings.Split


class Parts(settings.Section):
    """The keys of a stage that reads parts of sections."""

    augmentation: settings.Ranges
    runtime: settings.Threads
    interpretation: settings.Galleries


def test_load_gives_the_named_keys(params: Params, write_params: Write) -> None:
    write_params(params)
    loaded = settings.load(SeedAndSplit)
    assert type(loaded) is SeedAndSplit
    assert loaded.model_dump() == {"seed": params["seed"], "split": params["split"]}


def test_load_gives_of_a_section_the_named_part_alone(params: Params, write_params: Write) -> None:
    write_params(params)
    loaded = settings.load(Parts)
    assert loaded.model_dump() == {
        "augmentation": {k: v for k, v in params["augmentation"].items() if k != "views"},
        "runtime": {"threads": params["runtime"]["threads"]},
        "interpretation": {
            key: params["interpretation"][key] for key in ("picture", "pictures_per_gallery")
        },
    }


@pytest.mark.parametrize("key", ["image_size", "dataset", "train_head"])
def test_load_gives_no_other_key(params: Params, write_params: Write, key: str) -> None:
    write_params(params)
    loaded = settings.load(SeedAndSplit)
    with pytest.raises(AttributeError, match=key):
        getattr(loaded, key)


def test_load_gives_no_key_that_params_lack(params: Params, write_params: Write) -> None:
    class Unknown(settings.Section):
        learning_rate: float

    write_params(params)
    with pytest.raises(ValidationError, match="learning_rate"):
        settings.load(Unknown)


@pytest.mark.parametrize("keys", [SeedAndSplit, Parts])
def test_load_refuses_a_mistake_outside_the_named_keys(
    params: Params, write_params: Write, keys: type[settings.Section]
) -> None:
    params["train_head"]["epochs"] = 0
    write_params(params)
    with pytest.raises(errors.InputError, match=rf"train_head\.epochs: .*: 0\. {ADVICE}"):
        settings.load(keys)


def test_what_is_loaded_cannot_be_changed(params: Params, write_params: Write) -> None:
    write_params(params)
    loaded = settings.load(SeedAndSplit)
    with pytest.raises(ValidationError, match="frozen"):
        loaded.split.train = 1


def test_settings_cannot_be_changed(params: Params, write_params: Write) -> None:
    loaded = settings.read(write_params(params))
    with pytest.raises(ValidationError, match="frozen"):
        loaded.split.train = 1


def test_the_module_prints_the_settings(
    params: Params,
    write_params: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_params(params)
    monkeypatch.delitem(sys.modules, "ladder.settings")
    runpy.run_module("ladder.settings", run_name="__main__")
    assert json.loads(capsys.readouterr().out) == params
