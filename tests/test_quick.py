"""The reproduction check on the quick forms: green as committed, red for a change on purpose.

Climbs of minutes, with the real weights: `make test MARK=slow` runs them, `make test` does not.
"""

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import write_zip
from ladder import paths, provenance, settings
from ladder.climbs import recipes, reproduction
from ladder.pictures import sources

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
Climb = Callable[..., reproduction.Results]


def reference(form: str) -> reproduction.Results:
    folder = ROOT / provenance.QUICK / form
    return reproduction.read(folder, folder / paths.LOCK_OF_CLIMB)


@pytest.fixture(scope="module")
def climb(tmp_path_factory: pytest.TempPathFactory) -> Climb:
    """Climbs a form in one clone of its own, with some overrides, and returns the results."""
    folder = tmp_path_factory.mktemp("quick")

    def climb(form: str, *overrides: str, relabel: bool = False) -> reproduction.Results:
        own = folder / form
        copy, target = own / "ladder", own / "results"
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(ROOT)
            patch.setenv(sources.PICTURES_VARIABLE, "")  # put back after the plan
            if not copy.exists():
                own.mkdir()
                reproduction.check_committed(ROOT, f"quick_{form}")
                reproduction.clone(copy)
            plan = reproduction.quick_plan(form, own)
            if relabel:
                archive = relabelled(Path(os.environ[sources.PICTURES_VARIABLE]), own)
                plan = recipes.plan(str(archive), recipes.BOOK, f"quick_{form}")
            shutil.copy(ROOT / settings.PARAMS, copy)  # nothing of the climb before
            reproduction.climb(copy, [*plan.overrides, *overrides])
            shutil.rmtree(target, ignore_errors=True)
            return reproduction.results_of(copy, plan, target, quick=True)

    return climb


def relabelled(archive: Path, folder: Path) -> Path:
    """Writes an archive in which a cat of train and a dog of train stand in each other's place."""
    with zipfile.ZipFile(archive) as file:
        members = {name: file.read(name) for name in file.namelist()}
    cat, dog = "train/cat.3.png", "train/dog.3.png"
    members[cat], members[dog] = members[dog], members[cat]
    return write_zip(members, folder / "relabelled.zip")


@pytest.mark.parametrize("form", reproduction.QUICK)
def test_green_as_committed(form: str, climb: Climb) -> None:
    differences = reproduction.compare(reference(form), climb(form), Path("no/studies"), None)
    assert differences == []


@pytest.mark.parametrize(
    ("form", "override", "named"),
    [
        ("stored", "fine_tune.learning_rate=4.0e-5", "fine_tuned"),
        ("stored", "base.preprocessing=book", "features"),
        ("fresh", "fine_tune.learning_rate=2.0e-4", "fine_tuned"),
        ("fresh", "train_end_to_end.unfreeze_from=flatten", "features_augmented"),
        ("fresh", "base.preprocessing=imagenet", "features"),
    ],
)
def test_red_for_another_rate_layer_or_preprocessing(
    climb: Climb, form: str, override: str, named: str
) -> None:
    changed = climb(form, override)
    differences = reproduction.within_kernels(reference(form), changed)  # on any machine
    assert differences
    assert named in differences[0]
    assert reproduction.exact(reference(form), changed)


@pytest.mark.parametrize("form", reproduction.QUICK)
def test_red_for_one_picture_with_another_label(climb: Climb, form: str) -> None:
    changed = climb(form, relabel=True)
    assert reproduction.within_kernels(reference(form), changed)
