"""What counts as reproduced, on results made by hand; tests/test_quick.py climbs."""

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ladder import artifacts, errors, paths, rungs, settings
from ladder.climbs import climbs, reproduction
from ladder.networks import runtime

LADDER = pd.DataFrame({"rung": rungs.RUNGS, "test_accuracy": [0.9] * 5})
PAIRED = pd.DataFrame({"rung": rungs.RUNGS[1:], "p_value": [0.5] * 4})
CALIBRATION = pd.DataFrame({"rung": rungs.RUNGS, "brier": [0.1] * 5})
RUNTIME = {"scratch": {"policy": "float32", "threads": "2"}}


def predictions(shift: float = 0.0) -> pd.DataFrame:
    """Returns 100 pictures a subset, 90 right with probability 0.9 and 10 wrong with 0.6."""
    label = np.arange(200) % 2
    sure = np.where(np.arange(200) % 100 < 90, 0.9, 0.4) - shift
    subset = ["validation"] * 100 + ["test"] * 100
    return pd.DataFrame(
        {
            "id": [f"picture.{i}" for i in range(200)],
            "label": label,
            "probability": np.where(label == 1, sure, 1 - sure),
            "subset": subset,
        }
    )


def results(**changes: Any) -> reproduction.Results:
    made = reproduction.Results(
        {"manifest.csv": "aa", "images/train.npy": "bb"},
        {rung: predictions() for rung in rungs.RUNGS},
        {"ladder.csv": LADDER, "paired.csv": PAIRED, "calibration.csv": CALIBRATION},
        dict.fromkeys(rungs.RUNGS, "cc"),
        RUNTIME,
        np.linspace(-1, 10, 24, dtype=np.float32).reshape(2, 12),
        "digest",
    )
    return dataclasses.replace(made, **changes)


def with_rung(rung: rungs.Rung, frame: pd.DataFrame) -> reproduction.Results:
    return results(predictions={**results().predictions, rung: frame})


OTHER_MACHINE = {"scratch": {"policy": "float32", "threads": "8"}}


def test_the_same_results_are_reproduced(tmp_path: Path) -> None:
    none = tmp_path / "seeds.csv"
    assert reproduction.compare(results(), results(), none) == []
    assert reproduction.compare(results(), results(runtime=OTHER_MACHINE), none) == []


def test_on_the_same_kind_of_machine_one_bit_is_red(tmp_path: Path) -> None:
    probability = predictions()["probability"].to_numpy(copy=True)
    probability[7] = np.nextafter(probability[7], 1)
    changed = predictions().assign(probability=probability)
    found = reproduction.compare(results(), with_rung("features", changed), tmp_path)
    assert len(found) == 1
    assert found[0].startswith("predictions of features: up to ")
    assert found[0].endswith("apart, 0 of 200 on the other side")
    hashes = {"manifest.csv": "aa", "images/train.npy": "cc"}
    found = reproduction.compare(results(), results(hashes=hashes), tmp_path)
    assert found == ["images/train.npy: md5 cc, committed bb"]


def test_a_missing_file_is_red() -> None:
    assert reproduction.exact(results(), results(hashes={"manifest.csv": "aa"})) == [
        "images/train.npy: md5 None, committed bb"
    ]


def test_other_weights_are_red_although_every_answer_is_the_same() -> None:
    weights = {**results().weights, "features": "dd"}
    found = reproduction.exact(results(), results(weights=weights))
    assert found == ["weights of features: sha256 dd, committed cc"]


@pytest.mark.parametrize("compare", [reproduction.exact, reproduction.within_kernels])
def test_the_same_answers_measured_otherwise_are_red(compare: Any) -> None:
    ladder = LADDER.assign(test_accuracy=0.8, more=1)
    measured = results(tables={**results().tables, "ladder.csv": ladder})
    assert compare(results(), measured) == ["ladder.csv: test_accuracy, more"]


@pytest.mark.parametrize(
    ("name", "column"), [("paired.csv", "p_value"), ("calibration.csv", "brier")]
)
def test_another_verdict_on_the_same_answers_is_red(name: str, column: str) -> None:
    tables = {**results().tables, name: results().tables[name].assign(**{column: 0.2})}
    assert reproduction.exact(results(), results(tables=tables)) == [f"{name}: {column}"]


def test_another_machine_may_round_otherwise_but_no_more() -> None:
    features = results().features
    assert features is not None
    rounded = results(features=features + 9e-4)  # the largest is 10
    assert reproduction.within_kernels(results(), rounded) == []
    (found,) = reproduction.within_kernels(results(), results(features=features + 2e-3))
    assert found.startswith("features: 0.0002 of the largest apart")
    (found,) = reproduction.within_kernels(results(), results(features=features[:1]))
    assert found == "features: (1, 12), committed (2, 12)"


def test_a_picture_on_the_other_side_or_another_label_is_red() -> None:
    probability = predictions()["probability"].to_numpy(copy=True)
    probability[3] = 1 - probability[3]
    flipped = predictions().assign(probability=probability)
    (found,) = reproduction.within_kernels(results(), with_rung("scratch", flipped))
    assert found == "predictions of scratch: up to 0.8 apart, 1 of 200 on the other side"
    relabelled = predictions()
    relabelled.loc[3, "label"] = 0
    (found,) = reproduction.within_kernels(results(), with_rung("scratch", relabelled))
    assert found == "predictions of scratch: other pictures or labels"


def test_a_loss_apart_is_red_although_every_class_is_the_same() -> None:
    found = reproduction.within_kernels(results(), with_rung("fine_tuned", predictions(0.03)))
    # -0.9 ln 0.9 - 0.1 ln 0.4 = 0.1865, and with 0.87 and 0.37 instead 0.2248
    assert found == [
        "test loss of fine_tuned: 0.2248, committed 0.1865",
        "validation loss of fine_tuned: 0.2248, committed 0.1865",
    ]
    assert not reproduction.within_kernels(results(), with_rung("fine_tuned", predictions(1e-4)))


def seeds(values: list[float]) -> pd.DataFrame:
    rows = [(seed, rung, v) for rung in rungs.RUNGS for seed, v in enumerate(values)]
    return pd.DataFrame(rows, columns=["seed", "rung", "accuracy"])


@pytest.mark.parametrize(("mean", "green"), [(0.9, True), (0.85, False), (0.95, False)])
def test_an_accuracy_outside_the_seeds_is_red_above_as_well(mean: float, green: bool) -> None:
    values = [mean - 0.002, mean - 0.001, mean, mean + 0.001, mean + 0.002]
    study = seeds(values)
    # Student's t with 4 degrees of freedom at 0.999 is 7.173; of sqrt(1 + 1/5) and a spread of
    # at least a tenth of sqrt(0.25 / 100): 0.0393 on both sides
    found = reproduction.within_noise(study, results())
    assert (found == []) is green
    if not green:
        assert len(found) == len(rungs.RUNGS)
        low, high = mean - 0.0393, mean + 0.0393
        assert found[0] == f"test accuracy of scratch: 0.900, expected {low:.3f} – {high:.3f}"


def test_other_pictures_are_red_on_every_machine(tmp_path: Path) -> None:
    moved = with_rung("scratch", predictions().assign(subset="test"))
    for reference in (results(), results(features=None)):
        other = dataclasses.replace(moved, runtime=OTHER_MACHINE)
        found = reproduction.compare(reference, other, tmp_path / "seeds.csv")
        assert found == ["predictions of scratch: other pictures or labels"]
        other = results(runtime=OTHER_MACHINE, hashes={"manifest.csv": "ff"})
        found = reproduction.compare(reference, other, tmp_path / "seeds.csv")
        assert found == ["manifest.csv: md5 ff, committed aa"]


def test_without_enough_seeds_another_machine_cannot_be_compared(tmp_path: Path) -> None:
    reference, climbed = results(features=None), results(runtime=OTHER_MACHINE)
    with pytest.raises(errors.InputError, match=r"expected at least 5 seeds .*Received: 0\."):
        reproduction.compare(reference, climbed, tmp_path)
    both = [seeds([0.9] * 5).assign(subset="test"), seeds([0.1] * 5).assign(subset="validation")]
    artifacts.write_csv(tmp_path / "seeds.csv", pd.concat(both))
    of = pd.DataFrame({"seed": range(5), "digest": ["digest"] * 4 + ["of other code"]})
    artifacts.write_csv(tmp_path / "seeds_climbs.csv", of)
    with pytest.raises(errors.InputError, match=r"Received: 4\. Run make seeds N=5"):
        reproduction.compare(reference, climbed, tmp_path)
    artifacts.write_csv(tmp_path / "seeds_climbs.csv", of.assign(digest="digest"))
    assert reproduction.compare(reference, climbed, tmp_path) == []


def test_the_kind_of_machine_is_known_before_the_climb(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[settings.Runtime] = []  # in earnest only once in a process
    monkeypatch.setattr(runtime, "start", lambda chosen, seed: started.append(chosen))
    here = runtime.describe()
    params = {"runtime": {"precision": "float32", "threads": 2}}
    same = results(runtime=dict.fromkeys(rungs.RUNGS, here))
    assert reproduction.is_same_kind(same, params)
    one_rung = results(runtime={"scratch": here, "features": {**here, "threads": "64"}})
    assert not reproduction.is_same_kind(one_rung, params)
    assert started == [settings.Runtime(precision="float32", threads=2)] * 2


def test_results_are_read_from_a_folder_of_reports(tmp_path: Path) -> None:
    lock = {
        name: {"outs": [{"path": f"data/d/{name}.npy", "md5": name * 2}]}
        for name in (*reproduction.STAGES, "fine_tune")
    }
    lock["decode"]["outs"].append({"path": "data/d/seconds/decode.json", "md5": "time"})
    artifacts.write_json(tmp_path / "climb.lock", {"stages": lock})  # JSON is YAML
    artifacts.write_json(tmp_path / "runtime.json", RUNTIME)
    with pytest.raises(errors.InputError, match=r"Received: no weights\.json, no ladder\.csv, no"):
        reproduction.read(tmp_path)
    artifacts.write_json(tmp_path / "weights.json", {"scratch": "cc"})
    seconds = {"seconds": [1.5] * 5, "seconds_alone": [2.5] * 5}
    artifacts.write_csv(tmp_path / "ladder.csv", LADDER.assign(**seconds))
    artifacts.write_csv(tmp_path / "paired.csv", PAIRED)
    artifacts.write_csv(tmp_path / "calibration.csv", CALIBRATION)
    for rung in rungs.RUNGS:
        artifacts.write_csv(tmp_path / f"predictions/{rung}.csv", predictions())
    read = reproduction.read(tmp_path)
    assert read.hashes == {
        f"data/d/{name}.npy": name * 2
        for name in ("split", "decode", "extract_features", "extract_views", "audit")
    }
    assert reproduction.exact(read, read) == []
    assert read.features is None
    assert read.weights == {"scratch": "cc"}
    assert read.tables["ladder.csv"].columns.tolist() == ["rung", "test_accuracy"]
    artifacts.write_npy(tmp_path / "features.npy", np.ones((2, 3), np.float32))
    features = reproduction.read(tmp_path).features
    assert features is not None
    assert features.shape == (2, 3)


def test_what_differs_is_the_last_word_of_a_command_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that climbs is left out: the command, what it compares and how it ends are not."""
    changed = with_rung("features", predictions(shift=0.2))
    climbed = iter([results(), results(runtime=OTHER_MACHINE), changed])
    monkeypatch.setattr("sys.argv", ["reproduction", "--quick"])
    for name in ("check_committed", "clone", "climb"):
        monkeypatch.setattr(reproduction, name, lambda *_: None)
    plan = climbs.Plan("d", (), tmp_path, tmp_path / "studies", "quick")
    monkeypatch.setattr(reproduction, "quick", lambda _: plan)
    monkeypatch.setattr(climbs, "params", lambda *_: {})
    monkeypatch.setattr(reproduction, "read", lambda _: results())
    monkeypatch.setattr(reproduction, "results_of", lambda *_, **__: next(climbed))
    reproduction.main()
    reproduction.main()
    bit_for_bit, otherwise = capsys.readouterr().out.splitlines()
    assert bit_for_bit == "ladder: reproduced, bit for bit"
    assert otherwise == "ladder: reproduced, on another kind of machine"
    with pytest.raises(SystemExit) as ended:
        reproduction.main()
    assert str(ended.value.code).startswith("ladder: not reproduced\npredictions of features: up ")


def test_changes_that_a_clean_copy_would_lack_are_refused(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    (tmp_path / "README.md").write_text("words\n")
    (tmp_path / "recipes").mkdir()
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "all")
    (tmp_path / "README.md").write_text("other words\n")
    (tmp_path / "recipes/mine.txt").write_text("seed=1\n")
    reproduction.check_committed(tmp_path, "")  # a list that it does not climb by
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    with pytest.raises(errors.InputError, match=r"Received: params\.yaml, recipes/"):
        reproduction.check_committed(tmp_path, "mine")
