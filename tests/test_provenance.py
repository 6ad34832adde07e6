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
        (PARAMS, CODE | {"stages/split.py": "c"}, False),
        (PARAMS, {"stages/split.py": "b"}, False),
    ],
)
def test_a_digest_is_of_params_and_code_but_for_the_seed_and_what_comes_after(
    params: dict[str, Any], code: dict[str, str], same: bool
) -> None:
    expected = provenance.digest(PARAMS, CODE)
    assert (provenance.digest(params, code) == expected) is same


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
