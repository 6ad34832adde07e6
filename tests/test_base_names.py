"""What params.yaml may say of each base, against Keras and the packages themselves."""

import math
from typing import Any, NoReturn

import pytest

from ladder import base_names
from ladder.networks import bases, weight_files

OF_KERAS = [name for name, row in base_names.BASES.items() if "keras" in row.sources]
every_base = pytest.mark.parametrize("name", [*base_names.BASES])


class ReachedError(Exception):
    """Keras has come to the call that is looked at."""


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")  # of the MobileNets
@pytest.mark.parametrize("name", OF_KERAS)
def test_the_file_of_keras_weights_is_the_one_that_keras_stores(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[tuple[str, str]] = []

    def get_file(file: str, _address: str, *, cache_subdir: str, **_options: Any) -> NoReturn:
        files.append((cache_subdir, file))
        raise ReachedError

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with pytest.raises(ReachedError):
        bases.pretrained_by_keras(name)
    assert files == [("models", base_names.BASES[name].sources["keras"])]


@pytest.mark.parametrize("name", OF_KERAS)
def test_the_size_of_pretraining_is_that_of_keras(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def obtain_input_shape(_shape: None, default_size: int, **_options: Any) -> NoReturn:
        sizes.append(default_size)
        raise ReachedError

    monkeypatch.setattr(
        "keras.src.applications.imagenet_utils.obtain_input_shape", obtain_input_shape
    )
    with pytest.raises(ReachedError):
        bases.BASES[name].build(weights=None)
    assert sizes == [base_names.BASES[name].pretrained_size]


def test_a_source_that_is_a_package_is_the_one_that_weights_are_read_from() -> None:
    packages = {
        (name, kind): source
        for name, row in base_names.BASES.items()
        for kind, source in row.sources.items()
        if kind != "keras"
    }
    assert packages == {key: package.name for key, package in weight_files.PACKAGES.items()}


@every_base
def test_the_best_weights_come_first_and_random_ones_last(name: str) -> None:
    row = base_names.BASES[name]
    assert row.weights == (*row.sources, "none")
    assert list(row.sources)[-1:] == ["keras"] or [*row.sources] == ["package"]


@every_base
@pytest.mark.parametrize("size", [96, 150])
def test_features_are_as_many_as_the_network_gives(name: str, size: int) -> None:
    shape = bases.build(name).compute_output_shape((1, size, size, 3))
    assert base_names.BASES[name].features(size) == math.prod(shape[1:])
