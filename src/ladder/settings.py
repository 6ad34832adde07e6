"""params.yaml, read strictly into frozen sections: the code holds no defaults."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ladder import base_names, errors

PARAMS = Path("params.yaml")
# Folders in data/, reports/ or a dataset's reports, which no dataset and no recipe may be called.
RESERVED = {
    *("weights", "metrics", "quick", "benchmark", "studies", "predictions", "figures"),
    # and folders of the project, which `ladder climb NAME` would take for pictures
    *("benchmarks", "chapter", "data", "docs", "mlruns", "models", "recipes", "reports", "src"),
    *("stages", "tests"),
}

AUTO = "auto"  # what the base's row in `networks.bases` says

Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]
ClassWeight = Literal["none", "balanced"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9]\w*(-\w+)*$", max_length=60)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
LARGEST_SIZE = 1024  # pixels
ImageSize = Annotated[int, Field(ge=48, le=LARGEST_SIZE)]  # pixels
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A part of params.yaml: unknown keys, missing keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Keys = TypeVar("Keys", bound=Section)


class Dataset(Section):
    """Where the pictures come from, and what data, reports, runs and models are called by."""

    name: Name
    source: Literal["cifar10", "dogs_vs_cats", "folder"]
    sha256: Sha256 | None  # of a person's own pictures: see `sources.digest`

    @field_validator("name")
    @classmethod
    def _is_a_folder_of_its_own(cls, value: str) -> str:
        if value.lower() in RESERVED:
            raise PydanticCustomError("name", f"a name other than {', '.join(sorted(RESERVED))}")
        return value


class Split(Section):
    """How many pictures of each class a subset takes, or which share of them."""

    train: Count | Share
    validation: Count | Share
    test: Count | Share
    group: str | None  # a regular expression: pictures with one value of it share a subset
    hash_distance: Annotated[int, Field(ge=0, le=256)] | None  # bits; None: no near duplicates
    unreadable_share: Annotated[float, Field(ge=0.0, le=1.0)]
    train_used_per_class: Count | None
    shuffle_train_labels: Literal[False] | int  # which deal
    corrections: Sha256 | None  # of corrections/<name>.csv

    @property
    def counts(self) -> dict[str, int] | None:
        """The numbers of pictures of each class, by subset; None where shares are given."""
        numbers = {"train": self.train, "validation": self.validation, "test": self.test}
        counts = {subset: n for subset, n in numbers.items() if isinstance(n, int)}
        return counts if len(counts) == len(numbers) else None

    @field_validator("train", "validation", "test", mode="before")
    @classmethod
    def _is_a_count_or_a_share(cls, value: object) -> object:
        is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        if is_count or (isinstance(value, float) and 0 < value < 1):
            return value
        raise PydanticCustomError("subset", "a number of pictures, from 1, or a share below 1")

    @field_validator("shuffle_train_labels", mode="before")
    @classmethod
    def _is_a_deal(cls, value: object) -> object:
        if value is False or (type(value) is int and value > 0):
            return value
        raise PydanticCustomError("deal", "false, or the number of a deal, from 1")

    @field_validator("group")
    @classmethod
    def _is_a_regular_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise PydanticCustomError("group", f"a regular expression ({error})") from None
        return value

    @model_validator(mode="after")
    def _is_all_counts_or_all_shares(self) -> Self:
        numbers = (self.train, self.validation, self.test)
        if self.counts is None and not all(isinstance(number, float) for number in numbers):
            raise PydanticCustomError(
                "split", "train, validation and test all counts or all shares"
            )
        if self.counts is None and abs(sum(numbers) - 1) > 1e-6:
            raise PydanticCustomError("split", "shares of train, validation and test that sum to 1")
        return self

    @model_validator(mode="after")
    def _uses_what_there_is(self) -> Self:
        if self.counts and (self.train_used_per_class or 0) > self.counts["train"]:
            raise PydanticCustomError(
                "split", f"train_used_per_class of at most {self.train}, or null for all"
            )
        return self


class BuiltBase(Section):
    """What a model's description holds of its base: how it is built, and where it is cut."""

    name: str
    weights: base_names.Weights
    preprocessing: Literal["imagenet", "book"]
    cut: str
    output: str = AUTO  # models of before this key ended with the base's last layer

    @field_validator("name")
    @classmethod
    def _is_a_base(cls, value: str) -> str:
        if value not in base_names.BASES:
            raise PydanticCustomError("name", f"one of {', '.join(base_names.BASES)}")
        return value


class BaseSize(Section):
    """The size of the base's pictures."""

    image_size: Annotated[int, Field(ge=32, le=LARGEST_SIZE)] | None  # None: that of all pictures

    def pictures_size(self, image_size: int) -> int:
        """Returns the pixels of the base's pictures; `image_size` is that of all others."""
        return self.image_size or image_size


class Base(BuiltBase, BaseSize):
    """The pretrained convolutional base: its pictures, its weights, where it is cut."""

    output: str  # whose output are the features
    weights_file: str | None  # in the project's folder; None: Keras downloads its own
    weights_sha256: Sha256 | None  # of this file

    @property
    def names(self) -> base_names.Names:
        """What params.yaml may say of this base."""
        return base_names.BASES[self.name]

    @model_validator(mode="after")
    def _weights_exist(self) -> Self:
        if self.weights not in self.names.weights:
            raise _layer_error(
                f"weights of {self.name} to be one of {', '.join(self.names.weights)}",
                self.weights,
            )
        if (self.weights_file is None) != (self.weights_sha256 is None):
            raise _layer_error(
                "weights_file and weights_sha256 both, or both null",
                f"{self.weights_file!r} and {self.weights_sha256!r}",
            )
        if self.weights_file is not None and self.weights != "keras":
            raise _layer_error("weights: keras for weights_file", self.weights)
        return self

    @field_validator("weights_file")
    @classmethod
    def _is_in_the_project(cls, value: str | None) -> str | None:
        path = Path(value or "")
        if path.is_absolute() or ".." in path.parts:
            raise PydanticCustomError(
                "path", "a file in the project's folder, such as weights/a.h5"
            )
        return value


class Ranges(Section):
    """The ranges that random views are drawn from."""

    rotation_degrees: Annotated[float, Field(ge=0, le=180)]
    shift_fraction: Fraction
    shear_degrees: Annotated[float, Field(ge=0, lt=90)]
    zoom_fraction: Fraction
    horizontal_flip: bool


class Augmentation(Ranges):
    """Random views, and how many of them are stored."""

    views: Annotated[int, Field(ge=0, le=99)]


class Extraction(Section):
    """How features and activations are computed and stored."""

    batch_size: Count
    storage: Literal["float16", "float32"]


class Audit(Section):
    """What counts as a near duplicate, and how suspected labels are sought."""

    hash_distance: Annotated[int, Field(ge=0, le=256)]
    folds: Annotated[int, Field(ge=2)]
    inverse_regularization: Annotated[float, Field(gt=0)]


class Evaluation(Section):
    """How rungs are judged: the largest loss of test accuracy that is tolerated, in points."""

    margin_points: Annotated[float, Field(gt=0, le=50)]


class Threads(Section):
    """How many cores compute; 0: all."""

    threads: Annotated[int, Field(ge=0)]


class Runtime(Threads):
    """What decides the last bits of a result besides the seed."""

    precision: Literal["auto", "float32", "bfloat16"]


class Fit(Section):
    """One training: RMSprop, the validated epoch with the lowest validation loss is kept."""

    epochs: Count
    minimum_epochs: Count
    batch_size: Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    schedule: Literal["constant", "cosine"]
    patience: Count
    validate_every: Count


class Training(Fit):
    """A training that starts from a fresh head or convnet."""

    dropout: Fraction


class SmallFirst(Training):
    """A training of a convnet from scratch whose first epochs are on smaller pictures."""

    small_share: Annotated[float, Field(ge=0, lt=1)]  # of the epochs
    small_image_size: ImageSize  # at most

    def small_epochs(self, image_size: int) -> int:
        """Returns how many epochs are on smaller pictures; none where `image_size` is as small."""
        if self.small_image_size >= image_size:
            return 0
        return min(round(self.small_share * self.epochs), self.epochs - 1)


class EndToEnd(Training):
    """A training of a fresh head, and of what precedes it from a layer of the base on."""

    unfreeze_from: str


class FineTuning(Fit):
    """A training that goes on from another rung's model."""

    unfreeze_from: str


class Example(Section):
    """The test picture that is looked at closely."""

    picture: Annotated[int, Field(ge=0)] | str  # its place in test, or its id in the manifest


class Galleries(Example):
    """The test pictures that are looked at."""

    pictures_per_gallery: Annotated[int, Field(ge=1, le=50)]


class Patterns(Section):
    """The filters whose patterns are drawn."""

    filter_layers: Annotated[list[str], Field(min_length=1)] | Literal["auto"]
    filters_per_layer: Annotated[int, Field(ge=1, le=64)]  # every layer of a base has as many
    pattern_size: Annotated[int, Field(ge=32, le=512)]
    steps: Count


class Interpretation(Galleries, Patterns):
    """What is computed and drawn of what the networks see."""


class Settings(Section):
    """The whole of params.yaml: a field a key."""

    seed: Seed
    dataset: Dataset
    split: Split
    class_weight: ClassWeight
    image_size: ImageSize
    base: Base
    augmentation: Augmentation
    extraction: Extraction
    audit: Audit
    evaluation: Evaluation
    runtime: Runtime
    train_scratch: Training
    train_scratch_augmented: SmallFirst
    train_head: Training
    train_end_to_end: EndToEnd
    fine_tune: FineTuning
    interpretation: Interpretation

    @model_validator(mode="after")
    def _pictures_are_large_enough(self) -> Self:
        smallest = self.base.names.smallest_size
        sizes = {
            "base.image_size, or image_size where it is null,": self.base.pictures_size(
                self.image_size
            ),
            "interpretation.pattern_size": self.interpretation.pattern_size,
        }
        for key, size in sizes.items():
            if size < smallest:
                raise _layer_error(f"{key} to be {smallest} or more for {self.base.name}", size)
        return self

    @model_validator(mode="after")
    def _layers_exist_in_order(self) -> Self:
        layers, cut, output = self.base.names.layers, self.base.cut, self.base.output
        first, start = self.train_end_to_end.unfreeze_from, self.fine_tune.unfreeze_from
        layers_named = {"base.output": output, "base.cut": cut, "fine_tune.unfreeze_from": start}
        every = layers_named | {"train_end_to_end.unfreeze_from": first}
        received = ", ".join(f"{key} {name!r}" for key, name in every.items())
        for key, name in layers_named.items():
            if name not in (AUTO, *layers):
                raise _layer_error(f"{key} to be one of {', '.join((AUTO, *layers))}", received)
        if output == layers[0]:
            raise _layer_error(f"base.output to be a layer after {output}", received)
        if output != AUTO:
            layers = layers[: layers.index(output) + 1]
        if cut not in (AUTO, *layers[:-1]):
            raise _layer_error(
                f"base.cut to be a layer before {layers[-1]}, whose output are the features",
                received,
            )
        if start not in (AUTO, *layers):
            raise _layer_error(
                f"fine_tune.unfreeze_from to be no layer after {output}, base.output", received
            )
        views = self.augmentation.views
        allowed = ("flatten",) if views else (*layers, "flatten")
        if first not in allowed:
            raise _layer_error(
                f"train_end_to_end.unfreeze_from to be one of {', '.join(allowed)} for "
                f"augmentation.views: {views}",
                received,
            )
        if views and start != AUTO:
            if cut == AUTO:
                raise _layer_error(
                    "fine_tune.unfreeze_from to be auto too, or base.cut a layer before it",
                    received,
                )
            if layers.index(start) <= layers.index(cut):
                raise _layer_error(
                    f"fine_tune.unfreeze_from to come after base.cut, {cut}", received
                )
        return self

    @model_validator(mode="after")
    def _filters_are_of_convolutions(self) -> Self:
        convolutions, names = self.base.names.convolutions, self.interpretation.filter_layers
        for name in names if isinstance(names, list) else ():
            if name not in convolutions:
                raise _layer_error(
                    f"interpretation.filter_layers to be auto, or of {', '.join(convolutions)}",
                    repr(name),
                )
        return self


def _layer_error(expected: str, received: object) -> PydanticCustomError:
    return PydanticCustomError("layer", expected, {"received": str(received)})


def read(path: Path) -> Settings:
    """Returns the whole file, checked.

    Raises:
        InputError: not YAML, a key missing, unknown or double, a wrong type or range.
    """
    return read_as(Settings, path)


def read_as(keys: type[Keys], path: Path) -> Keys:
    """Returns a whole file of settings of another kind, checked as strictly.

    Raises:
        InputError: as `read`.
    """
    try:
        content: Any = YAML(typ="safe", pure=True).load(path)
    except OSError:
        raise errors.InputError(
            str(path), expected="a file", received="none", advice="Run from the project's root."
        ) from None
    except YAMLError as error:
        raise errors.InputError(
            str(path), expected="valid YAML", received=str(error), advice=_advice(str(path))
        ) from None
    return _validated(keys, content, str(path))


def checked(content: Any, where: str) -> Settings:
    """Returns the content of a params.yaml as settings; `where` is what a person calls it.

    Raises:
        InputError: a key is missing or unknown, a wrong type or range.
    """
    return _validated(Settings, content, where)


def _validated(keys: type[Keys], content: Any, where: str) -> Keys:
    try:
        return keys.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ": ".join([where, ".".join(map(str, first["loc"]))]).removesuffix(": ")
        raise errors.InputError(
            key, expected=_expectation(first), received=_received(first), advice=_advice(where)
        ) from None


def _advice(where: str) -> str:
    return f"Correct {where}; docs/parameters.md says what each key means."


def _received(error: Any) -> str:
    if error["type"] == "missing":
        return "no such key"
    if error["type"] == "layer":
        received: str = error["ctx"]["received"]
        return received
    return repr(error["input"])


def _expectation(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "only known keys"
    if error["type"] == "missing":
        return "the key to be there"
    message: str = error["msg"]
    return message.removeprefix("Input should be ")


def load(keys: type[Keys]) -> Keys:
    """Returns the keys of params.yaml that a class names by its fields.

    A field's type is its section's, or a part of it, such as `Threads` of `Runtime`. A stage names
    what it reads, and dvc.yaml declares the same.

    Raises:
        InputError: anywhere in params.yaml, also outside the named keys.
    """
    return keys.model_validate(read(PARAMS), from_attributes=True)


if __name__ == "__main__":
    errors.run(lambda: print(read(PARAMS).model_dump_json(indent=2)))
