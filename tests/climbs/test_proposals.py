import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from ladder import settings
from ladder.climbs import proposals, recipes
from ladder.paths import Subset

SHARES: dict[Subset, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}


@pytest.fixture
def params(params: dict[str, object]) -> settings.Settings:
    """A params.yaml for 2,000 train pictures."""
    fits = {"train_scratch_augmented": 100, "fine_tune": 8}
    for section, epochs in fits.items():
        fit = params[section]
        assert isinstance(fit, dict)
        fit |= {"epochs": epochs, "minimum_epochs": epochs}
    return settings.checked(params, "params.yaml")


def layout(**pictures: int) -> pd.DataFrame:
    """A layout with so many pictures of each class, to be divided."""
    names = [name for name, count in pictures.items() for _ in range(count)]
    return pd.DataFrame({"class_name": names, "subset": ""})


def test_few_pictures_take_all_epochs_and_views(params: settings.Settings) -> None:
    recipe = proposals.recipe("oaks", layout(oak=30, elm=20), params)
    assert recipe == {
        "dataset.name": "oaks",
        "dataset.source": "folder",
        "image_size": "150",
        "train_scratch_augmented.small_image_size": "96",
        "base.name": "efficientnet_lite0",
        "base.image_size": "224",
        "base.weights": "package",
        "split.train": "0.6",
        "split.validation": "0.2",
        "split.test": "0.2",
        "split.unreadable_share": "0.1",
        "interpretation.picture": "0",
        "augmentation.views": "4",
    }


@pytest.mark.parametrize(("elm", "expected"), [(10, None), (9, "balanced")])
def test_unequal_classes_count_alike(
    params: settings.Settings, elm: int, expected: str | None
) -> None:
    recipe = proposals.recipe("oaks", layout(oak=30, elm=elm), params)
    assert recipe.get("class_weight") == expected


def test_more_pictures_take_fewer_epochs_so_that_a_training_sees_as_many(
    params: settings.Settings,
) -> None:
    recipe = proposals.recipe("oaks", layout(oak=5000, elm=5000), params)  # 6,000 of train
    assert recipe["train_scratch_augmented.epochs"] == "33"
    assert recipe["train_scratch_augmented.minimum_epochs"] == "33"
    assert recipe["fine_tune.epochs"] == "3"
    assert "train_head.epochs" not in recipe  # 2 already
    assert recipe["augmentation.views"] == "2"
    most = proposals.recipe("oaks", layout(oak=50_000, elm=50_000), params)
    assert (most["train_scratch_augmented.epochs"], most["augmentation.views"]) == ("15", "1")


def test_the_text_of_a_recipe_reads_back(
    params: settings.Settings, tmp_path: object, at_root: object
) -> None:
    recipe = proposals.recipe("oaks", layout(oak=5000, elm=5000), params)
    recipes.create("oaks", proposals.text(recipe))
    assert recipes.read("oaks") == recipe
    assert "ladder climb oaks" in (recipes.RECIPES / "oaks.txt").read_text()


def rows(class_name: str, **counts: int) -> pd.DataFrame:
    subsets = [subset for subset, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"class_name": class_name, "subset": subsets})


@pytest.mark.parametrize(
    ("oak", "expected"),
    [
        (rows("oak", train=6, validation=3, test=1), (6, 3, 1)),
        (rows("oak", train=8, test=3), (6, 2, 3)),  # validation out of train, a quarter
        (rows("oak", train=8, validation=3), (6, 3, 2)),
        (rows("oak", train=10), (6, 2, 2)),
        (rows("oak").assign(subset=""), (0, 0, 0)),
    ],
)
def test_what_a_folder_says_stays_and_what_it_lacks_comes_out_of_train(
    oak: pd.DataFrame, expected: tuple[int, int, int]
) -> None:
    if oak.empty:
        oak = layout(oak=10)
        expected = (6, 2, 2)
    table = proposals.counts(oak, SHARES)
    columns = ["train", "validation", "test"]
    wanted = pd.DataFrame([expected], columns=columns, index=["oak"])
    assert_frame_equal(table, wanted, check_names=False)
