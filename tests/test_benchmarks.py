"""The benchmark's arithmetic, its port of the book, and how it measures processes."""

import json
import os
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import (
    book_way,
    clone,
    extraction,
    machine,
    many_pictures,
    pipeline,
    plan,
    plot,
    processes,
    results,
    run,
    spread,
)
from benchmarks.report import arithmetic, ladders, page
from benchmarks.report import extraction as rates_of_extraction
from benchmarks.spread import Spread
from conftest import PARAMS
from ladder import errors, rungs, settings
from ladder.climbs import recipes
from ladder.evidence import book
from ladder.pictures import examination, folders, groups, originals

ROOT = Path(__file__).parent.parent
values = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=9)


@given(values, values)
def test_a_spread_is_the_median_within_its_range(above: list[float], below: list[float]) -> None:
    measured = Spread.of(above)
    assert (measured.low, measured.high) == (min(above), max(above))
    assert measured.median == np.median(above)
    assert spread.read(json.loads(json.dumps(spread.record(above)))) == measured
    ratio, ratios = spread.ratio(measured, Spread.of(below)), np.divide.outer(above, below)
    assert (ratio.low, ratio.high) == pytest.approx((ratios.min(), ratios.max()))
    seconds, durations = spread.duration(6.0, measured), 6.0 / np.array(above)
    assert (seconds.low, seconds.high) == pytest.approx((durations.min(), durations.max()))
    parts = [Spread(2.0, 1.0, 4.0, 5), Spread(20.0, 10.0, 40.0, 3)]
    assert spread.total(parts) == Spread(22.0, 11.0, 44.0, 3)


def test_the_port_has_the_sizes_that_the_book_prints() -> None:
    from benchmarks.workers import book_way as port

    sizes = [port.convnet(150, dropout).count_params() for dropout in (False, True)]
    assert sizes == [3_453_121, 3_453_121]
    assert port.head((4, 4, 512)).count_params() == 2_097_665
    frozen, fine_tuned = (port.on_base(150, choice) for choice in (False, True))
    assert frozen.count_params() == 16_812_353
    assert len(frozen.trainable_weights) == 4
    assert len(fine_tuned.trainable_weights) == 10  # and three convolutions


# 2026-11: Keras 3.15.1's legacy code calls scipy by an old name.
@pytest.mark.filterwarnings("ignore:Please import `affine_transform`:DeprecationWarning")
@pytest.mark.parametrize("augmented", [False, True])
def test_the_ports_batches_are_scaled_whole_and_endless(
    augmented: bool, drawn_archive: Callable[..., Path], tmp_path: Path
) -> None:
    from benchmarks.workers import book_way as port

    with zipfile.ZipFile(drawn_archive(count=3)) as archive:
        for name in archive.namelist():
            path = tmp_path / "train" / name.split("/")[1].split(".")[0] / name.replace("/", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
    endless = port.batches(tmp_path / "train", 48, 4, augmented)
    batches = [next(endless) for _ in range(5)]
    assert [len(labels) for _, labels in batches] == [4, 2, 4, 2, 4]
    pixels, labels = batches[0]
    assert pixels.shape == (4, 48, 48, 3)
    assert pixels.dtype == np.float32
    assert 0.5 < pixels.max() <= 1
    assert set(labels) <= {0, 1}


def test_extrapolation_gives_the_books_counts() -> None:
    # 30 epochs of 100 steps are 300 of 10 steps; with 2 s each they take 600 s
    seconds = {"epoch": [2.0, 3.0, 1.0]}
    assert book_way.extrapolate("scratch", 10, seconds) == Spread(600, 300, 900, 3)
    assert book_way.extrapolate("fine_tuned", 20, {"epoch": [1.0]}).median == 500
    # 4,000 pictures in batches of 20 are 20 times 10 batches; and 30 epochs of the head
    seconds = {"extraction": [1.0], "epoch": [0.5]}
    assert book_way.extrapolate("features", 10, seconds).median == 20 * 1 + 30 * 0.5
    epochs = {rung: training.epochs for rung, training in book_way.BOOK.items()}
    assert epochs == dict(zip(rungs.RUNGS, (30, 100, 30, 30, 100), strict=True))
    assert plan.FULL.book_steps % 2 == plan.QUICK.book_steps % 2 == 0


def test_the_books_way_gets_the_manifests_pictures_byte_for_byte(
    zipped: Callable[..., Path], tmp_path: Path
) -> None:
    archive = zipped({"PetImages/Cat/0.jpg": b"c", "PetImages/Dog/0.jpg": b"d", "other": b"x"})
    rows = [("cat.0", "PetImages/Cat/0.jpg", "cat", "train")]
    rows += [("dog.0", "PetImages/Dog/0.jpg", "dog", "test")]
    manifest, folder = tmp_path / "manifest.csv", tmp_path / "pictures"
    pd.DataFrame(rows, columns=["id", "path", "class_name", "subset"]).to_csv(manifest)
    book_way.write_pictures(archive, manifest, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    assert written == {"train/cat/cat.0.jpg": b"c", "test/dog/dog.0.jpg": b"d"}


def test_the_stages_and_the_quick_overrides_are_those_of_the_project(tmp_path: Path) -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    names = [stage for row in pipeline.RUNG_STAGES.values() for stage in row]
    assert {*pipeline.WITHOUT_BASE, *pipeline.ON_BASE} == set(rungs.RUNGS)
    assert tuple(pipeline.RUNG_STAGES) == rungs.RUNGS
    assert len(names) == len(set(names) & set(stages))
    output = "Stage 'decode' didn't change, skipping\nRunning stage 'split':\n> python split.py\n"
    output += "\nRunning stage 'predict@scratch':\n> echo Running stage 'other'\n"
    assert pipeline.stages_run(output) == ["split", "predict@scratch"]
    params = tmp_path / "params.yaml"
    params.write_text((ROOT / "params.yaml").read_text())
    quick = clone.lines(ROOT / "benchmarks/quick.txt")
    fresh = clone.Clone(tmp_path, {}, tuple(quick))
    first = fresh.override([*recipes.plan("", "dogs_vs_cats").overrides])
    assert first.train_scratch.epochs == 2
    base = fresh.override(clone.lines(ROOT / f"recipes/{pipeline.OTHER_BASE}.txt")).base
    assert (base.name, base.image_size, base.weights) == (pipeline.OTHER_BASE, 224, "none")


def test_the_stages_of_one_ladder_alone_read_nothing_of_the_base() -> None:
    """Neither its parameters nor its weights."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    shared = {name.partition("@")[0] for name in pipeline.SHARED_STAGES}
    assert shared == {
        "download",
        "split",
        "train_scratch",
        "train_scratch_augmented",
        "predict",
        "interpret",
    }
    for name in shared:
        stage = stages[name].get("do", stages[name])
        assert not [key for key in stage["params"] if str(key).startswith("base")]
        assert not [path for path in stage["deps"] if "data/weights" in path]


class RecordedClone:
    """Stands for a clone in which DVC runs stages in no time."""

    folder = Path("/clone")

    def __init__(self, stages: list[str], base: str) -> None:
        self.stages, self.base, self.commands = stages, base, list[tuple[str, ...]]()

    @property
    def params(self) -> settings.Settings:
        if self.base == "unknown":
            raise errors.InputError("p", expected="e", received="r", advice="/clone/params.yaml")
        base = {**PARAMS["base"], "name": self.base, "cut": "auto"}
        fine_tune = {**PARAMS["fine_tune"], "unfreeze_from": "auto"}
        interpretation = {**PARAMS["interpretation"], "filter_layers": "auto"}
        changed = {"base": base, "fine_tune": fine_tune, "interpretation": interpretation}
        return settings.Settings.model_validate({**PARAMS, **changed})

    def override(self, lines: list[str]) -> settings.Settings:
        self.base = "unknown" if "unfrozen" in self.stages else pipeline.OTHER_BASE
        return self.params

    def dvc(self, *arguments: str) -> processes.Finished:
        self.commands.append(arguments)
        names = self.stages if "--dry" in arguments else arguments[-1:]
        output = "".join(f"Running stage '{name}':\n" for name in names)
        return processes.Finished(0, float(len(self.commands)), 100, output)


STAGES = ["download", "train_scratch", "train_scratch_augmented", "extract_features", "train_head"]
STAGES += ["extract_views", "train_end_to_end", "fine_tune", "predict@scratch", "render"]


def test_a_second_ladder_climbs_what_depends_on_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "arithmetic", lambda _clone: {"multiply_adds": {}})
    recorded: Any = RecordedClone(STAGES, "vgg16")
    part = pipeline.measure(plan.QUICK, recorded)
    again = [name for name in STAGES if name not in pipeline.SHARED_STAGES]
    assert [command[-1] for command in recorded.commands[1:]] == [*STAGES, *again]
    first, second = part["bases"].values()
    assert list(part["bases"]) == ["vgg16", pipeline.OTHER_BASE]
    assert list(second["stages"]) == again
    assert list(second["rungs"]) == list(pipeline.ON_BASE)
    # the clone's seconds count its commands: 1 looked ahead, 2 to 11 are of the first ladder
    assert first["total_seconds"]["values"] == [sum(range(2, 12))]
    assert first["on_base_seconds"]["values"] == [5 + 6 + 7 + 8 + 9]
    assert second["on_base_seconds"]["values"] == [12 + 13 + 14 + 15 + 16]
    assert second["total_seconds"]["values"] == [2 + 3 + 4 + 10 + sum(range(12, 18))]


def test_there_is_one_ladder_where_its_base_is_the_other_or_cannot_be_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "arithmetic", lambda _clone: {"multiply_adds": {}})
    same: Any = RecordedClone(STAGES, pipeline.OTHER_BASE)
    assert list(pipeline.measure(plan.QUICK, same)["bases"]) == [pipeline.OTHER_BASE]
    wrong: Any = RecordedClone([*STAGES, "unfrozen"], "vgg16")
    part = pipeline.measure(plan.QUICK, wrong)
    assert part["bases"][pipeline.OTHER_BASE] == {
        "error": "p: expected e. Received: r. params.yaml"
    }
    measured = {"parts": {"pipeline": {"result": part}}}
    assert list(results.ladders(measured)) == ["vgg16"]
    assert "Not climbed with EfficientNet-Lite0: p: expected e." in ladders.both_ways(measured)


def test_the_peak_is_that_of_the_largest_process_started(tmp_path: Path) -> None:
    inner = "x = bytearray(600_000_000); print(len(x))"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{inner}'], check=True)"
    failing = "import sys; print('first'); sys.exit('why')"
    commands = [[sys.executable, "-c", code] for code in (failing, outer)]
    small, large = (processes.measure(command, tmp_path, os.environ) for command in commands)
    assert (small.status, small.output.split()) == (1, ["first", "why"])
    assert (large.status, large.output.strip()) == (0, "600000000")
    assert 600e6 < large.peak_bytes < 1200e6 + small.peak_bytes
    assert large.seconds > 0


def test_the_process_that_measures_imports_nothing_large() -> None:
    """Its own memory would count in that of everything that it starts."""
    command = [sys.executable, "-c", "import benchmarks.run, sys; print(*sys.modules)"]
    finished = processes.measure(command, ROOT, os.environ)
    assert finished.status == 0
    assert not {"tensorflow", "keras", "matplotlib", "mlflow"} & set(finished.output.split())


# A worker of Python: its library prints, its second repetition fails.
SERVE = """from benchmarks.workers import channel; answers = iter([{"n": 1}])
channel.serve(lambda request: (request, lambda: print("noise") or next(answers)))"""


def test_workers_take_turns_and_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    def worker(name: str, script: str) -> processes.Worker:
        python = tmp_path / name
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        return processes.Worker(name, {"limit": 1}, str(python))

    answer = f"""echo $0 >> {tmp_path}/turns; echo '{{"n": 1}}'"""
    with (
        worker("one", f"while read line; do {answer}; done") as one,
        worker("failing", f"""exec {sys.executable} -c '{SERVE}' "$3" """) as failing,
        worker("dead", f"read line; {answer}; echo why >&2") as dead,
    ):
        assert failing.receive() == {"limit": 1}
        workers = {"one": one, "failing": failing, "dead": dead}
        answers, failures = extraction.take_turns(workers, repetitions=3)
    assert answers == {"one": 3 * [{"n": 1}]}
    reason = "dead ended without an answer: why"
    assert failures == {"failing": "StopIteration:", "dead": reason}
    turns = [Path(line).name for line in (tmp_path / "turns").read_text().split()]
    assert turns == ["one", "dead", "one", "one"]
    assert min(one.peak_bytes, dead.peak_bytes) > 1e5
    failure = processes.WorkerError(f"Traceback\n  much\nOSError: no {ROOT}/benchmarks/x")
    assert processes.without_paths(failure) == "OSError: no ./benchmarks/x"


@pytest.mark.parametrize("name", ["AMD EPYC", "Intel(R) Xeon(R)"])
@pytest.mark.parametrize("flags", ["avx512_bf16", "avx512_bf16 amx_bf16", "avx2 avx512f"])
def test_the_machine_is_described_and_its_precision_is_the_pipelines(
    name: str, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ladder.networks import runtime

    cpuinfo, meminfo = tmp_path / "cpuinfo", tmp_path / "meminfo"
    vendor = "AuthenticAMD" if name.startswith("AMD") else "GenuineIntel"
    cpuinfo.write_text(f"vendor_id\t: {vendor}\nmodel name\t: {name}\nflags\t\t: fpu {flags}\n")
    meminfo.write_text("MemTotal:       2048 kB\n")
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    monkeypatch.setattr(machine, "MEMINFO", meminfo)
    monkeypatch.setattr(runtime, "CPUINFO", cpuinfo)
    described = machine.describe()
    assert machine.text(described).startswith(f"{name}, {described['cores']} cores, 0 GiB, ")
    assert machine.text(described).endswith(f"flags {flags}")
    fast = runtime.policy("auto") == "mixed_bfloat16"
    assert machine.has_fast_bfloat16(described) == fast


@pytest.mark.parametrize("change", [{"memory_bytes": 2**35}, {"cores": 4}, {"flags": ["avx2"]}])
def test_results_of_another_machine_are_not_added_to(
    change: dict[str, Any], measured: results.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = measured["machine"] | {"memory_bytes": 2**34 - 50_000_000}  # as another kernel leaves it
    monkeypatch.setattr(machine, "describe", lambda: here)
    assert results.start(quick=False)["parts"] == {}
    results.write(measured)
    assert results.start(quick=True)["parts"] == {}
    assert list(results.start(quick=False)["parts"]) == list(measured["parts"])  # in order
    monkeypatch.setattr(machine, "describe", lambda: here | change)
    with pytest.raises(errors.InputError, match=r"expected results of this machine.* aside"):
        results.start(quick=False)
    assert results.read(quick=False) == measured


def part(**result: Any) -> dict[str, Any]:
    about = {"date": "2026-01-01T00:00+00:00", "load": 0.1, "versions": {"python": "3.11"}}
    about |= {"commit": "abc", "uncommitted_changes": True, "seconds": 9.0}
    return about | {"result": {"dataset": "d", "image_size": 150, **result}}


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> results.Results:
    """Whole results, made up: the book 100 times slower than the pipeline."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    seconds = {"extrapolated_seconds": vars(Spread(1000.0, 900.0, 1200.0, 5)), "steps_measured": 20}
    about = {"arithmetic": "bfloat16", "deviation": 0.01, "peak_bytes": 7e8}
    rates = {"pipeline": [170.0, 180.0], "eager": [85.0, 100.0], "openvino": [200.0, 180.0]}
    contestants: dict[str, dict[str, Any]] = {
        name: {**about, "title": name, "pictures_per_second": spread.record(row)}
        for name, row in rates.items()
    }
    contestants["compiled"] = {"title": "compiled", "error": "no compiler"}
    alone = {"pipeline": contestants["pipeline"] | {"versions": {"torch": "2.0-x", "keras": "3"}}}
    of_vgg16, of_lite0 = (
        spread.record([factor * s for s in (8.0, 10.0, 12.0)]) for factor in (1, 0.5)
    )
    ladder = {
        "image_size": 150,
        "stages": {
            "train_scratch": {"seconds": spread.record([7.0]), "peak_bytes": 4e9},
            "fine_tune": {"seconds": spread.record([9.0]), "peak_bytes": 4e9},
        },
        "rungs": dict.fromkeys(rungs.RUNGS, of_vgg16),
        "on_base_seconds": spread.record([24.0, 30.0, 36.0]),
        "total_seconds": spread.record([40.0, 50.0, 60.0]),
        "arithmetic": {
            "precision": "bfloat16",
            "multiply_adds": {"train_scratch": 10**12, "fine_tune": 10**12, "extract_views": 0},
        },
    }
    other = ladder | {
        "image_size": 224,
        "stages": {"fine_tune": {"seconds": spread.record([5.0]), "peak_bytes": 3e9}},
        "rungs": dict.fromkeys(pipeline.ON_BASE, of_lite0),
        "on_base_seconds": spread.record([12.0, 15.0, 18.0]),
        "total_seconds": spread.record([25.0]),
        "arithmetic": {"error": "not as trained"},
    }
    flags = {"flags": ["amx_bf16"], "memory_bytes": 2**34, "system": "Linux"}
    return {
        "format": results.FORMAT,
        "machine": {"processor": "A Processor", "cores": 2, **flags},
        "quick": False,
        "parts": {
            "extraction": part(
                batch_size=50,
                bases={
                    "vgg16": {"image_size": 150, "contestants": contestants},
                    "efficientnet_lite0": {"image_size": 224, "contestants": alone},
                },
            ),
            "matrix": part(
                threads=2,
                pipeline_precision="bfloat16",
                gigaflops={
                    "float32": {"512": spread.record([90.0, 110.0])},
                    "bfloat16": {"512": spread.record([160.0, 240.0])},
                },
            ),
            "book_way": part(rungs=dict.fromkeys(rungs.RUNGS, seconds)),
            "pipeline": part(
                split=book.COUNTS,
                downloaded=False,
                bases={"vgg16": ladder, "efficientnet_lite0": other},
            ),
        },
    }


def test_the_report_has_medians_ranges_and_where_they_were_measured(
    measured: results.Results,
) -> None:
    written = page.markdown(measured)
    assert "A Processor, 2 cores, 16 GiB, Linux, flags amx_bf16" in written
    assert "| pipeline | 2026-01-01T00:00+00:00 | abc and changes | 9 | 0.1 |" in written
    assert "**extrapolated**" in written
    ladder = re.search(r"^\| scratch \| (.*) \|$", written, re.MULTILINE)
    assert ladder is not None
    assert ladder[1].split(" | ")[:2] == ["1,000.0 (900.0 – 1,200.0)", "10.0 (8.0 – 12.0)"]
    assert ladder[1].split(" | ")[2:] == ["100.0 (75.0 – 150.0)", "", ""]  # no second time
    assert "| total | 5,000.0 (4,500.0 – 6,000.0) | 50.0 (40.0 – 60.0) | 100.0" in written
    assert "(75.0 – 150.0) | 25.0 | 200.0 (180.0 – 240.0) |" in written
    assert "| fine_tune | 9.0 | 4,000 |" in written
    assert "| fine_tune | 5.0 | 3,000 |" in written
    # 200 / 170 in one turn, 180 / 180 in the other
    assert "| 190.0 (180.0 – 200.0) | 1.09 (1.00 – 1.18) | 1.00 % | 700 |" in written
    assert "Not measured: compiled: no compiler" in written
    assert "torch 2.0" in written
    assert "quick" not in written
    assert "A quick try-out" in page.markdown({**measured, "quick": True})


def test_the_report_compares_one_base_with_the_other(measured: results.Results) -> None:
    compared = ladders.between_bases(measured)
    assert "VGG16 at 150 pixels, seconds | EfficientNet-Lite0 at 224 pixels, seconds" in compared
    row = "| fine_tuned | 10.0 (8.0 – 12.0) | 5.0 (4.0 – 6.0) | 0.50 (0.33 – 0.75) |"
    assert row in compared
    assert "| these three rungs | 30.0 (24.0 – 36.0) | 15.0 (12.0 – 18.0) | 0.50" in compared
    assert "| the whole ladder | 50.0 (40.0 – 60.0) | 25.0 | 0.50 (0.42 – 0.62) |" in compared
    assert compared in page.markdown(measured)
    del measured["parts"]["pipeline"]["result"]["bases"]["efficientnet_lite0"]
    assert "One base beside the other" not in page.markdown(measured)


def test_the_arithmetic_is_timed_at_the_best_rate(measured: results.Results) -> None:
    written = page.markdown(measured)
    assert "The best rate is 200.0 (160.0 – 240.0) GFLOP/s, in bfloat16" in written
    # 10¹² multiply-adds are 2 · 10¹² operations: 10 s at 200 GFLOP/s
    at_best = "| 1,000.0 | 10.0 (8.3 – 12.5) |"
    assert f"| train_scratch {at_best} 7.0 | 0.70 (0.56 – 0.84) |" in written
    assert f"| fine_tune {at_best} 9.0 |" in written
    assert "| total | 2,000.0 | 20.0 (16.7 – 25.0) | 50.0 (40.0 – 60.0) | 2.50 (1.60" in written
    assert "extract_views |" not in written  # without a multiplication
    assert "Not counted: not as trained" in written
    by_base = measured["parts"]["pipeline"]["result"]["bases"]
    by_base["efficientnet_lite0"]["arithmetic"] = by_base["vgg16"]["arithmetic"]
    rows = arithmetic.rows(measured, "efficientnet_lite0")
    assert [row.measured.median for row in rows] == [7.0, 5.0, 25.0]  # of the first ladder, its own
    del measured["parts"]["matrix"]
    assert arithmetic.rows(measured, "vgg16") == []
    assert arithmetic.of_ladder(measured, "vgg16") == ""


def test_the_goals_are_beside_what_was_reached(measured: results.Results) -> None:
    goals = page.goals(measured)
    assert "| ratio | goal | VGG16 | EfficientNet-Lite0 |" in goals
    of_book = "| at least 25 | 100.00 (75.00 – 150.00) | 200.00 (180.00 – 240.00) |"
    assert of_book in goals
    assert "| at most 1.2 | 2.50 (1.60 – 3.60) |  |" in goals
    # 170 / 200 in one turn, 180 / 180 in the other; alone it is the fastest
    assert "| at least 0.95 | 0.93 (0.85 – 1.00) | 1.00 |" in goals
    of_vgg16 = measured["parts"]["extraction"]["result"]["bases"]["vgg16"]
    of_vgg16["contestants"]["pipeline"] = {"title": "this pipeline", "error": "none"}
    assert rates_of_extraction.share_of_fastest(of_vgg16) is None
    measured["parts"] = {"book_way": measured["parts"]["book_way"]}
    assert page.goals(measured) == ""


def test_other_pictures_give_no_ratio(measured: results.Results) -> None:
    parts = measured["parts"]
    quick = {**book.COUNTS, "train": 40}
    changes = ({"image_size": 96}, {"dataset": "other"}, {"split": quick})
    for change in changes:
        pipeline_part = {**parts["pipeline"], "result": parts["pipeline"]["result"] | change}
        changed = {**measured, "parts": {**parts, "pipeline": pipeline_part}}
        assert all(row.ratio is None for row in ladders.rows(changed, "vgg16"))
        assert "of different pictures: no ratios" in page.markdown(changed)


def test_the_plot_draws_what_was_measured(measured: results.Results) -> None:
    ladder, rates, second_ladder, second_rates = plot.figure(measured).axes
    assert ladder.get_xscale() == "log"
    dots = [line.get_xdata() for line in ladder.lines if line.get_marker() == "o"]
    assert np.asarray(dots).tolist() == [5 * [1000] + [5000], 5 * [10] + [50]]
    labels = [text.get_text() for text in ladder.texts]
    assert labels == 5 * ["1,000", "10", "100 ×"] + ["5,000", "50", "100 ×"]
    titles = [label.get_text() for label in rates.get_yticklabels()]
    assert titles == ["openvino", "pipeline", "eager"]  # the fastest first
    # the second ladder has its own rungs, at their places
    dots = [line.get_xydata() for line in second_ladder.lines if line.get_marker() == "o"]
    assert np.asarray(dots[1]).tolist() == [[5, 2], [5, 3], [5, 4], [25, 5]]
    assert "EfficientNet-Lite0" in second_ladder.get_title()
    assert len(second_rates.get_yticklabels()) == 1
    del measured["parts"]["extraction"], measured["parts"]["book_way"]
    ladder, rates, second_ladder, _ = plot.figure(measured).axes
    assert [text.get_text() for text in ladder.texts] == 5 * ["10"] + ["50"]
    assert [text.get_text() for text in second_ladder.texts] == 3 * ["5"] + ["25"]
    assert not rates.has_data()
    assert "| scratch |  | 10.0 (8.0 – 12.0) |  |" in page.markdown(measured)


def test_the_books_way_alone_is_drawn(measured: results.Results) -> None:
    measured["parts"] = {"book_way": measured["parts"]["book_way"]}
    ladder, rates = plot.figure(measured).axes
    assert [text.get_text() for text in ladder.texts] == 5 * ["1,000"] + ["5,000"]
    assert not rates.has_data()


def test_results_of_another_format_are_refused(measured: results.Results) -> None:
    results.write(measured)
    assert results.read(quick=False) == measured
    del measured["format"]  # as the first version wrote it
    results.write(measured)
    with pytest.raises(errors.InputError, match=r"format 2. Received: format 1. Move its folder"):
        results.start(quick=False)


def test_results_are_redrawn_without_a_measurement(
    measured: results.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.write(measured)
    monkeypatch.setattr("sys.argv", ["run", "--redraw"])
    monkeypatch.setattr(machine, "describe", lambda: {**measured["machine"], "cores": 4})
    run.main()
    assert (tmp_path / "benchmark.md").read_text() == page.markdown(measured)
    assert (tmp_path / "benchmark.png").stat().st_size > 10_000
    assert results.read(quick=False) == measured


@pytest.mark.parametrize("wrong", [["no_such_part"], ["--climbs", "0"]])
def test_what_cannot_be_measured_is_refused(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run.parse(wrong)
    assert wrong[-1] in capsys.readouterr().err


def test_the_many_pictures_that_are_drawn_are_no_near_duplicates(tmp_path: Path) -> None:
    many_pictures.draw(tmp_path / "pictures", range(40))
    many_pictures.draw(tmp_path / "again", range(30, 40))
    files, _ = folders.listing(tmp_path / "pictures")
    again, _ = folders.listing(tmp_path / "again")
    assert {name: path.read_bytes() for name, path in again.items()} == {
        name: files[name].read_bytes() for name in again
    }
    examined = examination.examine(originals.of_folder(files).read, pd.Series(list(files)))
    pictures = examined.assign(class_name="all")
    assert groups.of_pictures(pictures, None, hash_distance=40).nunique() == 40


def test_many_pictures_that_something_changes_are_noticed() -> None:
    with many_pictures.project(2):
        pass
    with (
        pytest.raises(RuntimeError, match="the pictures were changed"),
        many_pictures.project(2) as (_, folder),
    ):
        (folder / "elm/000000.jpg").chmod(0o444)


def test_what_links_share_takes_room_once(tmp_path: Path) -> None:
    for name in ("pictures/a", "pictures/b", "cache/01/copy", "cache/02/list.dir"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(5000))
    (tmp_path / "cache/03").hardlink_to(tmp_path / "cache/01/copy")
    room = many_pictures.room(tmp_path / "pictures", tmp_path / "cache")
    assert room.copies == room.lists >= 5000
    assert room.pictures == 2 * room.copies


def test_the_table_of_many_pictures_says_how_time_grows() -> None:
    steps = [
        many_pictures.Step(name, count, seconds, peak)
        for name, count, seconds, peak in [
            ("split", 10, 2.0, 4_000_000),
            ("decode", 10, 3.0, 5_000_000),
            ("split", 100, 20.0, 6_000_000),
            ("decode", 100, 60.0, 1_234_000_000),
        ]
    ]
    assert many_pictures.table(steps).splitlines()[2:] == [
        "| split | 2 | 20 | 1.0 | 6 |",
        "| decode | 3 | 60 | 2.0 | 1,234 |",
    ]


def test_the_sentence_says_what_more_pictures_take() -> None:
    before = many_pictures.Room(100, 103, 0)
    after = many_pictures.Room(400_100, 410_103, 6_100_000)
    assert many_pictures.sentence(before, after) == (
        "Copies of 20,000 pictures take 1.03 times the room of the pictures in DVC's cache. 50 "
        "more take 0.40 MB, their copies 0.41 MB, and a new list of all files 6.1 MB.\n"
    )
