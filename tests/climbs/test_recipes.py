import functools
import operator
import os
import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from conftest import drawn_pictures, write_zip
from ladder import errors, provenance, settings
from ladder.climbs import recipes
from ladder.pictures import archives, sources

ROOT = Path(__file__).parents[2]
COMMITTED = sorted((ROOT / recipes.RECIPES).glob("*.txt"))


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv(sources.PICTURES_VARIABLE, "")  # put back after a plan that sets it
    monkeypatch.delenv(sources.PICTURES_VARIABLE)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recipes, empty."""
    monkeypatch.setattr(recipes, "RECIPES", tmp_path)
    return tmp_path


def test_a_recipe_is_its_lines_without_comments(own: Path) -> None:
    (own / "mine.txt").write_text("# why\n\nseed=3  # as well\nfine_tune.epochs=2\n")
    assert recipes.read("mine") == {"seed": "3", "fine_tune.epochs": "2"}
    with pytest.raises(errors.InputError, match=r"the recipe: expected one of mine\. .*: other\."):
        recipes.read("other")


def test_spaces_around_the_sign_and_a_byte_order_mark_are_passed_over(own: Path) -> None:
    text = "\ufeffseed = 3\r\n  fine_tune.schedule =cosine \r\ndataset.sha256=\r\n"
    (own / "mine.txt").write_bytes(text.encode())
    expected = {"seed": "3", "fine_tune.schedule": "cosine", "dataset.sha256": ""}
    assert recipes.read("mine") == expected
    plain = "seed=3\nfine_tune.schedule=cosine\ndataset.sha256=\n"
    (own / "plain.txt").write_text(plain)
    assert recipes.read("plain") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r"split.group=(tree\d+)_   # of a tree", r"(tree\d+)_"),
        (r"split.group='(tree #\d+)'  # quoted", r"(tree #\d+)"),
        ('split.group="a # b"', "a # b"),
        (r"split.group=[^/]+/(\d+)", r"[^/]+/(\d+)"),
        ("split.group=[ab]", "[ab]"),
        ("split.group=2024", "2024"),
        ("split.group=null", None),
        ("split.group=a#b", "a#b"),
        ("split.group='it''s'", "it's"),
        ("seed=3 # as well", 3),
        ("interpretation.filter_layers=[a, b]", ["a", "b"]),
        ("base.name=*x", "*x"),
    ],
)
def test_a_text_is_taken_as_it_stands(own: Path, line: str, expected: object) -> None:
    (own / "mine.txt").write_text(f"{line}\n")
    (key, text), *_ = recipes.read("mine").items()
    assert recipes.values([f"{key}={text}"]) == {key: expected}


def test_a_sign_of_a_comment_is_no_comment_on_the_command_line() -> None:
    assert recipes.values([r"split.group=tree #\d+", "base.name=#x"]) == {
        "split.group": r"tree #\d+",
        "base.name": "#x",
    }


def test_a_recipe_that_is_not_utf_8_is_named(own: Path) -> None:
    (own / "mine.txt").write_bytes("seed=3  # für mich\n".encode("latin-1"))
    with pytest.raises(errors.InputError, match=r"mine\.txt: expected a text in UTF-8\..*0xfc"):
        recipes.read("mine")


@pytest.mark.parametrize("line", ["split.train: 200", "seed", "=3", " = 3"])
def test_a_line_of_a_recipe_that_is_no_override_is_named(own: Path, line: str) -> None:
    (own / "mine.txt").write_text(f"# mine\nseed=3\n{line}\n")
    with pytest.raises(
        errors.InputError, match=rf"`key=value`\. Received: {re.escape(line.strip())}\. "
    ):
        recipes.read("mine")


@pytest.mark.parametrize(
    "name", ["studies", "predictions", "figures", "../mine", "a/b", ".hidden", "-v", "", "mine.txt"]
)
def test_a_name_that_cannot_be_a_folder_of_reports_is_refused(own: Path, name: str) -> None:
    for path in (own / "studies.txt", own / "predictions.txt", own / "figures.txt"):
        path.write_text("seed=3\n")
    message = r"the recipe: expected a name of letters and digits that is no folder of the project"
    with pytest.raises(errors.InputError, match=message):
        recipes.read(name)


def test_every_folder_of_a_climbs_reports_is_no_name_of_a_recipe() -> None:
    """Else the recipe's results would overwrite the default climb's."""
    stages = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["stages"]
    outs = [out for name in ("evaluate", "render") for out in stages[name]["outs"]]
    written = [out if isinstance(out, str) else next(iter(out)) for out in outs]
    both = [*written, *stages["render"]["deps"]]
    names = {Path(path).name for path in both if path.startswith("reports/")}
    folders = {name for name in names if not Path(name).suffix}
    assert folders <= settings.RESERVED
    below = {path.name for path in (ROOT / "reports").iterdir() if path.is_dir()}
    assert below - {"cifar10", "dogs_vs_cats"} <= settings.RESERVED


def test_without_a_dataset_the_climb_is_that_of_the_params() -> None:
    for name in ("", "cifar10"):
        plan = recipes.plan(name)
        assert (plan.dataset, plan.overrides, plan.name) == ("cifar10", (), "cifar10")
        assert (plan.reports, plan.recipes) == (Path("reports/cifar10"), ())


def lines_of(name: str) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in recipes.read(name).items())


def test_an_archive_may_be_called_the_books_photographs(tmp_path: Path) -> None:
    archive = write_zip(drawn_pictures(count=1), tmp_path / "pictures.zip")
    plan = recipes.plan(str(archive), "dogs_vs_cats")
    assert plan.overrides[:-1] == lines_of("dogs_vs_cats")
    assert plan.overrides[-1] == f"dataset.sha256={archives.sha256(archive)}"
    assert plan.reports == Path("reports/dogs_vs_cats")
    assert str(tmp_path) not in "".join(plan.overrides)
    assert os.environ[sources.PICTURES_VARIABLE] == str(archive)


def test_a_recipe_stands_on_that_of_the_dataset_and_has_its_own_reports() -> None:
    plan = recipes.plan("dogs_vs_cats", recipe="end_to_end", changes=["seed=3"])
    expected = recipes.read("dogs_vs_cats") | recipes.read("end_to_end") | {"seed": "3"}
    assert plan.overrides == tuple(f"{key}={value}" for key, value in expected.items())
    assert plan.reports == Path("reports/dogs_vs_cats/end_to_end")
    assert plan.studies == Path("reports/dogs_vs_cats/studies/end_to_end")
    assert (plan.name, plan.recipes) == ("dogs_vs_cats-end_to_end", ("dogs_vs_cats", "end_to_end"))


def test_a_recipe_may_stand_on_the_params() -> None:
    plan = recipes.plan("cifar10", recipe="float32")
    assert (plan.overrides, plan.name) == (("runtime.precision=float32",), "cifar10-float32")


@pytest.fixture
def trees(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two classes, and a recipe for it."""
    monkeypatch.setattr(recipes, "PLACES", tmp_path / "places")
    for name, content in drawn_pictures(("oak", "elm"), count=2).items():
        class_name, number, _ = Path(name).name.split(".")
        path = tmp_path / "My Trées" / class_name / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (own / "my-trees.txt").write_text("dataset.name=my-trees\ndataset.source=folder\n")
    return tmp_path / "My Trées"


def test_a_dataset_of_ones_own_is_found_by_its_folder_and_then_by_its_name(trees: Path) -> None:
    plan = recipes.plan(str(trees))
    sha256 = sources.own(trees).digest()
    expected = ("dataset.name=my-trees", "dataset.source=folder", f"dataset.sha256={sha256}")
    assert (plan.dataset, plan.overrides) == ("my-trees", expected)
    with pytest.raises(errors.InputError, match=r"the pictures of my-trees: expected .*: no path"):
        recipes.plan("my-trees")
    recipes.remember("my-trees", trees)
    assert recipes.plan("my-trees") == plan
    trees.rename(trees.with_name("elsewhere"))
    with pytest.raises(errors.InputError, match=r"My Trées, which is not there\. Say where"):
        recipes.plan("my-trees")


def test_what_is_proposed_stands_for_the_recipe(
    trees: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own / "my-trees.txt").unlink()
    proposed = {"dataset.name": "my-trees", "dataset.source": "folder", "image_size": "64"}
    plan = recipes.plan(str(trees), proposed=proposed)
    assert plan.overrides[:-1] == tuple(f"{key}={value}" for key, value in proposed.items())
    monkeypatch.chdir(own)  # it writes into reports/ too
    recipes.create("my-trees", "# mine\ndataset.name=my-trees\n")
    assert recipes.of_dataset("my-trees") == {"dataset.name": "my-trees"}


def test_reports_of_a_new_dataset_stay_out_of_git(
    own: Path, at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes.create("oaks", "dataset.name=oaks\n")
    subprocess.run(["git", "init", "-q"], check=True)
    (at_root / "reports/oaks/ladder.html").touch()
    status = ["git", "status", "--porcelain", "--untracked-files=all", "reports"]
    assert subprocess.check_output(status, text=True) == ""
    (at_root / "reports/oaks/.gitignore").unlink()
    assert subprocess.check_output(status, text=True) == "?? reports/oaks/ladder.html\n"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Baum-Fotos (2021)", "baum-fotos-2021"),
        ("2024", "pictures-2024"),
        ("null", "pictures-null"),
        ("weights", "pictures-weights"),
        ("猫", "pictures"),
        ("_x_", "x"),
    ],
)
def test_a_dataset_is_called_as_its_folder(tmp_path: Path, path: str, expected: str) -> None:
    (tmp_path / path).mkdir()
    assert recipes.name_of(tmp_path / path) == expected
    recipes.check_name(expected)
    assert recipes.name_of(tmp_path / f"{path}.zip") == expected


@pytest.mark.parametrize("name", ["2024", "null", "weights", "a b", "../a", "é", ""])
def test_a_name_that_no_dataset_can_have_is_refused(name: str) -> None:
    with pytest.raises(
        errors.InputError, match=r"name of the dataset: expected at most 60 letters"
    ):
        recipes.check_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("float32", "expected one that no other recipe has. Received: float32, as recipes/float32"),
        ("photo", "expected a folder .* or a dataset: cifar10, dogs_vs_cats. Received: photo"),
    ],
)
def test_a_name_that_is_no_dataset_is_told(name: str, message: str) -> None:
    with pytest.raises(errors.InputError, match=message):
        recipes.plan(name)


def test_a_path_that_is_not_there_is_told(trees: Path) -> None:
    with pytest.raises(errors.InputError, match=r"gone: expected a folder .*: nothing there"):
        recipes.plan("./gone", name="my-trees")


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "x" * 300])
def test_a_path_that_cannot_be_is_told(path: str) -> None:
    with pytest.raises(errors.InputError, match=r"the pictures: expected a path, or the name"):
        recipes.path_of(path)


@pytest.mark.parametrize("change", ["dataset.name=foo", "dataset.source=cifar10"])
def test_which_dataset_it_is_cannot_be_changed(trees: Path, change: str) -> None:
    with pytest.raises(errors.InputError, match=r"expected dataset\.name=my-trees, and"):
        recipes.plan(str(trees), changes=[change])


def test_a_recipe_of_another_dataset_is_none_for_this_one(trees: Path, own: Path) -> None:
    (own / "other.txt").write_text("dataset.name=other\nseed=3\n")
    with pytest.raises(errors.InputError, match=r"Received: dataset\.name=other"):
        recipes.plan(str(trees), recipe="other")


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_recipe_changes_keys_that_exist_to_values_that_are_allowed(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    overrides = recipes.plan("dogs_vs_cats", recipe=path.stem).overrides
    recipes.write(tmp_path / "params.yaml", overrides)
    after = settings.read(tmp_path / "params.yaml").model_dump()
    for line in overrides:
        keys = line.partition("=")[0].split(".")
        received = functools.reduce(operator.getitem, keys, after)
        assert str(received) == str(YAML(typ="safe", pure=True).load(line.partition("=")[2]))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_climb_is_of_the_params_that_were_planned(path: Path, tmp_path: Path) -> None:
    """`evaluate` writes what settings read; a plan reads YAML: one must not differ from the other.

    A climb of a seed would never count otherwise.
    """
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    overrides = recipes.plan("dogs_vs_cats", recipe=path.stem).overrides
    recipes.write(tmp_path / "params.yaml", overrides)
    climbed = settings.read(tmp_path / "params.yaml").model_dump(mode="json")
    planned = recipes.params(settings.PARAMS, overrides)
    one, other = (
        provenance.Identity(each, "1a2b", "float32", "2.21.0", "3.15.1")
        for each in (planned, climbed)
    )
    assert provenance.differences(one, other) == []
    assert planned == climbed


def test_overrides_change_the_values_and_leave_the_rest(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("seed: 0   # kept\nfit:\n  rate: 1.0e-4\n  sha256: null\n")
    sha256 = "1" * 32 + "e" + "2" * 31  # reads like a number, if it is not quoted
    overrides = ["fit.rate=2.0e-4", f"fit.sha256='{sha256}'"]
    expected = {"seed": 0, "fit": {"rate": 2e-4, "sha256": sha256}}
    assert recipes.params(params, overrides) == expected
    assert "1.0e-4" in params.read_text()  # as it was
    recipes.write(params, overrides)
    assert "# kept" in params.read_text()
    assert YAML(typ="safe", pure=True).load(params) == expected
    for key in ("fit.rat", "fits.rate", "seed.rate"):
        for change in (recipes.write, recipes.params):
            message = rf"keys of params.yaml\. Received: {key}"
            with pytest.raises(errors.InputError, match=message):
                change(params, [f"{key}=1"])


def test_a_later_override_wins() -> None:
    assert recipes.values(["a.b=1", "c=2.0e-5", "a.b=null"]) == {"a.b": None, "c": 2e-5}
