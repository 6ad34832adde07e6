"""The reproduction check on the quick form: green as committed, red for what is changed on purpose.

Climbs of minutes, with the real weights: `make test MARK=slow` runs them, `make test` does not.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import write_zip
from ladder.climbs import climbs, reproduction
from ladder.pictures import drawing, sources

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
Results = Callable[..., reproduction.Results]


@pytest.fixture(scope="module")
def reference() -> reproduction.Results:
    return reproduction.read(ROOT / "reports/quick")


@pytest.fixture(scope="module")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Climbs the quick form in one clone, with some overrides, and returns the results."""
    folder = tmp_path_factory.mktemp("quick")
    copy = folder / "ladder"

    def climb(*overrides: str, archive: Path | None = None) -> reproduction.Results:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(ROOT)
            patch.delenv(sources.ARCHIVE_VARIABLE, raising=False)
            if not copy.exists():
                reproduction.check_committed(ROOT, reproduction.QUICK)
                reproduction.clone(copy)
            plan = reproduction.quick(folder)
            if archive is not None:
                plan = climbs.plan(str(archive), reproduction.QUICK)
            reproduction.climb(copy, [*plan.overrides, *overrides])
            target = folder / "results"
            shutil.rmtree(target, ignore_errors=True)
            return reproduction.results_of(copy, plan, target, features=True)

    return climb


def test_green_as_committed(reference: reproduction.Results, climbed: Results) -> None:
    assert reproduction.compare(reference, climbed(), Path("no/seeds.csv")) == []


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("fine_tune.learning_rate=4.0e-5", "fine_tuned"),
        ("base.preprocessing=book", "features"),
    ],
)
def test_red_for_another_learning_rate_or_preprocessing(
    reference: reproduction.Results, climbed: Results, override: str, named: str
) -> None:
    changed = climbed(override)
    found = reproduction.within_kernels(reference, changed)  # on any machine
    assert found
    assert all(named in line for line in found[:1])
    assert reproduction.exact(reference, changed)


def test_red_for_one_picture_with_another_label(
    reference: reproduction.Results, climbed: Results, tmp_path: Path
) -> None:
    members = drawing.pictures(("cat", "dog"), count=64, size=64)
    cat, dog = "train/cat.3.png", "train/dog.3.png"
    members[cat], members[dog] = members[dog], members[cat]
    changed = climbed(archive=write_zip(members, tmp_path / "relabelled.zip"))
    assert reproduction.within_kernels(reference, changed)
