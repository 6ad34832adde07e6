import functools
import operator
import os
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
    monkeypatch.setenv(sources.ARCHIVE_VARIABLE, "")  # put back after a plan that sets it
    monkeypatch.delenv(sources.ARCHIVE_VARIABLE)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of recipes, empty."""
    monkeypatch.setattr(recipes, "RECIPES", tmp_path)
    return tmp_path


def test_a_recipe_is_its_lines_without_comments(own: Path) -> None:
    (own / "mine.txt").write_text("# why\n\nseed=3  # as well\nfine_tune.epochs=2\n")
    assert recipes.read("mine") == {"seed": "3", "fine_tune.epochs": "2"}
    with pytest.raises(errors.InputError, match=r"RECIPE: expected one of mine\. .*: other\."):
        recipes.read("other")


def test_spaces_around_the_sign_and_a_byte_order_mark_are_passed_over(own: Path) -> None:
    text = "\ufeffseed = 3\r\n  fine_tune.schedule =cosine \r\ndataset.archive_sha256=\r\n"
    (own / "mine.txt").write_bytes(text.encode())
    expected = {"seed": "3", "fine_tune.schedule": "cosine", "dataset.archive_sha256": ""}
    assert recipes.read("mine") == expected
    plain = "seed=3\nfine_tune.schedule=cosine\ndataset.archive_sha256=\n"
    (own / "plain.txt").write_text(plain)
    assert recipes.read("plain") == expected


def test_a_recipe_that_is_not_utf_8_is_named(own: Path) -> None:
    (own / "mine.txt").write_bytes("seed=3  # für mich\n".encode("latin-1"))
    with pytest.raises(errors.InputError, match=r"mine\.txt: expected a text in UTF-8\..*0xfc"):
        recipes.read("mine")


@pytest.mark.parametrize("line", ["split.train_per_class: 200", "seed", "=3", " = 3"])
def test_a_line_of_a_recipe_that_is_no_override_is_named(own: Path, line: str) -> None:
    (own / "mine.txt").write_text(f"# mine\nseed=3\n{line}\n")
    with pytest.raises(errors.InputError, match=rf"`key=value`\. Received: {line.strip()}\. "):
        recipes.read("mine")


@pytest.mark.parametrize(
    "name", ["studies", "predictions", "figures", "../mine", "a/b", ".hidden", "-v", "", "mine.txt"]
)
def test_a_name_that_cannot_be_a_folder_of_reports_is_refused(own: Path, name: str) -> None:
    for path in (own / "studies.txt", own / "predictions.txt", own / "figures.txt"):
        path.write_text("seed=3\n")
    message = r"RECIPE: expected a name of letters and digits, other than figures, predictions, "
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
    assert folders == recipes.RESERVED


def test_without_archive_or_recipe_the_climb_is_that_of_the_params() -> None:
    plan = recipes.plan("", "")
    assert (plan.source, plan.overrides, plan.name) == ("cifar10", (), "cifar10")
    assert plan.reports == Path("reports/cifar10")


def lines_of(name: str) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in recipes.read(name).items())


def test_an_archive_alone_means_the_books_photographs(tmp_path: Path) -> None:
    archive = write_zip(drawn_pictures(count=1), tmp_path / "pictures.zip")
    plan = recipes.plan(str(archive), "")
    assert plan.overrides[:-1] == lines_of("dogs_vs_cats")
    assert plan.overrides[-1] == f"dataset.archive_sha256={archives.sha256(archive)}"
    assert plan.reports == Path("reports/dogs_vs_cats")
    assert str(tmp_path) not in "".join(plan.overrides)
    assert os.environ[sources.ARCHIVE_VARIABLE] == str(archive)


def test_a_recipe_stands_on_the_books_and_has_its_own_reports() -> None:
    plan = recipes.plan("", "end_to_end")
    expected = recipes.read("dogs_vs_cats") | recipes.read("end_to_end")  # its own count
    assert plan.overrides == tuple(f"{key}={value}" for key, value in expected.items())
    assert plan.reports == Path("reports/dogs_vs_cats/end_to_end")
    assert plan.studies == Path("reports/dogs_vs_cats/studies/end_to_end")


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_recipe_changes_keys_that_exist_to_values_that_are_allowed(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    overrides = recipes.plan("", path.stem).overrides
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
    overrides = recipes.plan("", path.stem).overrides
    recipes.write(tmp_path / "params.yaml", overrides)
    climbed = settings.read(tmp_path / "params.yaml").model_dump(mode="json")
    planned = recipes.params(settings.PARAMS, overrides)
    one, other = (
        provenance.Identity(each, "1a2b", "float32", "2.21.0", "3.15.1")
        for each in (planned, climbed)
    )
    assert provenance.differences(one, other) == []
    assert planned == climbed


def test_a_recipe_may_be_of_another_dataset(own: Path) -> None:
    (own / "dogs_vs_cats.txt").write_text("dataset.source=dogs_vs_cats\n")
    (own / "small.txt").write_text("dataset.source=cifar10\nseed=3\n")
    plan = recipes.plan("", "small")
    assert (plan.source, plan.reports) == ("cifar10", Path("reports/cifar10/small"))


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
