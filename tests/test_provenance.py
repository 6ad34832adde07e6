from pathlib import Path
from typing import Any

import pytest

from ladder import artifacts, provenance

PARAMS = {"seed": 0, "fine_tune": {"epochs": 2}, "audit": {"folds": 5}}
CODE = {"src/ladder/models.py": "a", "stages/split.py": "b"}


@pytest.mark.parametrize(
    ("params", "code", "same"),
    [
        (PARAMS | {"seed": 7, "audit": {"folds": 9}}, CODE, True),
        (dict(reversed(PARAMS.items())), dict(reversed(CODE.items())), True),
        (PARAMS | {"fine_tune": {"epochs": 3}}, CODE, False),
        (PARAMS | {"split": {"shuffle_train_labels": 2}}, CODE, False),
        (PARAMS, CODE | {"stages/split.py": "c"}, False),
        (PARAMS, {"stages/split.py": "b"}, False),
    ],
)
def test_a_digest_is_of_params_and_code_but_for_the_seed_and_what_comes_after(
    params: dict[str, Any], code: dict[str, str], same: bool
) -> None:
    expected = provenance.digest(PARAMS, CODE)
    assert (provenance.digest(params, code) == expected) is same


def test_a_deal_of_labels_goes_with_the_seed() -> None:
    deals: list[dict[str, Any]] = [
        PARAMS | {"split": {"shuffle_train_labels": deal}} for deal in (False, 1, 2)
    ]
    none, one, other = (provenance.digest(params, CODE) for params in deals)
    assert none != one == other
    assert [params["split"]["shuffle_train_labels"] for params in deals] == [False, 1, 2]


def test_a_lock_tells_params_and_code_of_what_leads_to_the_predictions(tmp_path: Path) -> None:
    def dep(path: str, md5: str) -> dict[str, str]:
        return {"path": path, "md5": md5}

    stages = {
        "download_weights": {"params": {"params.yaml": {"base.weights": "none"}}},
        "split": {
            "deps": [dep("stages/split.py", "b"), dep("data/images.zip", "d")],
            "params": {"params.yaml": {"seed": 3}},
        },
        "render": {"deps": [dep("stages/render.py", "e")]},
    }
    artifacts.write_json(tmp_path / "climb.lock", {"stages": stages})  # JSON is YAML
    params, code = provenance.of_lock(tmp_path / "climb.lock")
    assert params == {"base": {"weights": "none"}, "seed": 3}
    assert code == {"stages/split.py": "b"}


def test_a_rung_comes_from_the_stages_that_lead_to_its_predictions(tmp_path: Path) -> None:
    def stage(deps: str, outs: str, **params: Any) -> dict[str, Any]:
        read = [{"path": path, "md5": path.upper()} for path in deps.split()]
        written = [{"path": path, "md5": "1"} for path in outs.split()]
        return {"deps": read, "params": {"params.yaml": params}, "outs": written}

    stages = {
        "split": stage("split.py raw", "manifest", **{"seed": 3, "interpretation.picture": 0}),
        "train_head": stage("train.py manifest", "head", train_head={"epochs": 2}),
        "train_scratch": stage("scratch.py manifest", "scratch", train_scratch={"epochs": 9}),
        "predict@features": stage("predict.py head", "features.csv"),
        "predict@scratch": stage("predict.py scratch", "scratch.csv"),
    }
    artifacts.write_json(tmp_path / "climb.lock", {"stages": stages})  # JSON is YAML
    params, code = provenance.of_rungs(tmp_path / "climb.lock")["features"]
    assert params == {"seed": 3, "train_head": {"epochs": 2}}
    assert code == {name: name.upper() for name in ("split.py", "train.py", "predict.py")}


def test_committed_rungs_come_from_their_own_params_alone() -> None:
    lock = Path(__file__).parent.parent / "reports/cifar10/climb.lock"
    by_rung, (_, all_code) = provenance.of_rungs(lock), provenance.of_lock(lock)
    for rung, sections in (
        ("scratch", {"train_scratch"}),
        ("features", {"train_head"}),
        ("fine_tuned", {"train_end_to_end", "fine_tune"}),  # it starts from rung 4
    ):
        params, code = by_rung[rung]
        fits = {key for key in params if key.startswith("train_") or key == "fine_tune"}
        assert fits == sections
        assert code.items() <= all_code.items()
