"""The benchmark's arithmetic, its port of the book, and how it measures processes."""

import json
import os
import re
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
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
    changes,
    extraction,
    growth,
    limits,
    machine,
    pipeline,
    plan,
    plot,
    processes,
    report,
    results,
    run,
    spread,
)
from benchmarks.spread import Spread
from benchmarks.workers import vgg16
from ladder import errors, paths, rungs, settings
from ladder.climbs import climbs
from ladder.evidence import evaluation

ROOT = Path(__file__).parent.parent

values = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=9)


@given(values)
def test_a_spread_is_the_median_within_its_range(measured: list[float]) -> None:
    found = Spread.of(measured)
    assert found.low <= found.median <= found.high
    assert found.median == np.median(measured)
    assert spread.read(json.loads(json.dumps(spread.record(measured)))) == found


@given(values, values)
def test_no_pair_of_values_lies_outside_the_range_of_the_ratio(
    above: list[float], below: list[float]
) -> None:
    found = spread.ratio(Spread.of(above), Spread.of(below))
    ratios = np.divide.outer(above, below)
    assert found.low == pytest.approx(ratios.min())
    assert found.high == pytest.approx(ratios.max())


def test_sums_add_medians_and_ranges() -> None:
    parts = [Spread(2.0, 1.0, 4.0, 5), Spread(20.0, 10.0, 40.0, 3)]
    assert spread.total(parts) == Spread(22.0, 11.0, 44.0, 3)


def test_a_line_finds_what_made_the_points_and_tells_how_far_one_is_off() -> None:
    exact = spread.line([1, 2, 4], [5.0, 7.0, 11.0])
    assert exact.slope == pytest.approx(2)
    assert exact.intercept == pytest.approx(3)
    assert exact.r2 == pytest.approx(1)
    assert exact.largest_deviation == pytest.approx(0, abs=1e-9)
    # 0, 0, 3 at 0, 1, 2: the line is 1.5 x - 0.5; residuals 0.5, -1, 0.5; variance 2
    bent = spread.line([0, 1, 2], [0.0, 0.0, 3.0])
    assert bent.r2 == pytest.approx(1 - 0.5 / 2)
    assert bent.largest_deviation == pytest.approx(1.0)


def test_vgg16_is_counted_from_its_shapes() -> None:
    from benchmarks.workers import keras_extraction, rates

    # 15,346,630,656 multiply-adds at 224 pixels: the figure that everybody has for its convolutions
    large = keras_extraction.build(224)
    assert rates.convolution_flops(large) == 2 * 15_346_630_656
    model = keras_extraction.build(150)
    assert model.count_params() == extraction.PARAMETERS
    sizes, channels, flops, moved = (150, 75, 37, 18, 9), 3, 0, 0  # pooling drops an odd row
    for size, filters in zip(sizes, vgg16.BLOCKS, strict=True):
        for out in filters:
            flops += 2 * (9 * channels) * out * size * size
            moved += (channels + out) * size * size
            channels = out
        moved += channels * (size**2 + (size // 2) ** 2)
    assert rates.convolution_flops(model) == flops
    assert rates.activation_values(model) == moved


def test_the_limits_are_rates_divided_by_what_a_picture_takes() -> None:
    told = {
        "flops_per_picture": 10,
        "activation_values_per_picture": 5,
        "per_second": {"bfloat16": spread.record([90.0, 100.0]), "memory": spread.record([40.0])},
    }
    assert limits.pictures_per_second(told, "bfloat16") == 10
    assert limits.memory_pictures_per_second(told, bytes_per_value=2) == 4


def test_random_views_are_counted() -> None:
    from benchmarks.workers import rates

    assert rates.view_rate(48, 0.05) > 100


def test_the_port_has_the_sizes_that_the_book_prints() -> None:
    from benchmarks.workers import book_way as port

    assert port.convnet(150, dropout=False).count_params() == 3_453_121
    assert port.convnet(150, dropout=True).count_params() == 3_453_121
    assert port.head((4, 4, 512)).count_params() == 2_097_665
    frozen, fine_tuned = (port.on_base(150, fine_tuned=choice) for choice in (False, True))
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

    folder = tmp_path / "pictures"
    with zipfile.ZipFile(drawn_archive(count=3)) as archive:
        for name in archive.namelist():
            path = folder / name.split("/")[1].split(".")[0] / name.replace("/", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
    endless = port.batches(folder, 48, 4, augmented)
    seen = [next(endless) for _ in range(5)]
    assert [len(labels) for _, labels in seen] == [4, 2, 4, 2, 4]
    pixels, labels = seen[0]
    assert pixels.shape == (4, 48, 48, 3)
    assert pixels.dtype == np.float32
    assert 0.5 < pixels.max() <= 1
    assert set(labels) <= {0, 1}


def test_a_rate_is_the_mean_over_the_time_wanted() -> None:
    from benchmarks.workers import rates

    acts: list[float] = []

    def act() -> None:
        acts.append(time.perf_counter())
        time.sleep(0.01)

    assert 0.01 <= rates.seconds_of(act, 0.1) < 0.1
    assert 2 <= len(acts) <= 10
    acts.clear()
    rates.seconds_of(act, 0.0)
    assert len(acts) == 1


def test_extrapolation_gives_the_books_counts() -> None:
    # 30 epochs of 100 steps are 300 of 10 steps; with 2 s each they take 600 s
    assert book_way.extrapolate("scratch", 10, {"epoch": [2.0, 3.0, 1.0]}) == Spread(
        600, 300, 900, 3
    )
    assert book_way.extrapolate("fine_tuned", 20, {"epoch": [1.0]}).median == 500
    # 4,000 pictures in batches of 20 are 20 times 10 batches; and 30 epochs of the head
    seconds = {"extraction": [1.0], "epoch": [0.5]}
    assert book_way.extrapolate("features", 10, seconds).median == 20 * 1 + 30 * 0.5


def test_the_books_epochs_are_those_of_chapter_5() -> None:
    epochs = {rung: training.epochs for rung, training in book_way.BOOK.items()}
    assert epochs == dict(zip(rungs.RUNGS, (30, 100, 30, 30, 100), strict=True))
    steps = (plan.FULL.book_steps, plan.QUICK.book_steps)
    assert all(count % (book_way.STEPS // book_way.VALIDATION_STEPS) == 0 for count in steps)


def test_the_books_way_gets_the_manifests_pictures_byte_for_byte(
    zipped: Callable[..., Path], tmp_path: Path
) -> None:
    archive = zipped({"PetImages/Cat/0.jpg": b"c", "PetImages/Dog/0.jpg": b"d", "other": b"x"})
    manifest = tmp_path / "manifest.csv"
    rows = [
        ("cat.0", "PetImages/Cat/0.jpg", "cat", "train"),
        ("dog.0", "PetImages/Dog/0.jpg", "dog", "test"),
    ]
    pd.DataFrame(rows, columns=["id", "path", "class_name", "subset"]).to_csv(manifest)
    folder = tmp_path / "pictures"
    book_way.write_pictures(archive, manifest, folder)
    written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files(folder)}
    assert written == {"train/cat/cat.0.jpg": b"c", "test/dog/dog.0.jpg": b"d"}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_every_stage_of_a_rung_is_in_the_graph() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    named = [stage for row in pipeline.RUNG_STAGES.values() for stage in row]
    assert tuple(pipeline.RUNG_STAGES) == rungs.RUNGS
    assert len(named) == len(set(named))
    assert set(named) <= set(stages)


def test_the_stages_that_ran_are_read_from_what_dvc_says() -> None:
    said = (
        "Stage 'decode' didn't change, skipping\nRunning stage 'split':\n> python stages/split.py\n"
    )
    said += "\nRunning stage 'predict@scratch':\n> echo Running stage 'other'\n"
    assert pipeline.stages_run(said) == ["split", "predict@scratch"]
    done = processes.Finished(0, 1.0, 1, said)
    pipeline.check(done, {"split"}, only=False)
    for expected, only in (({"split"}, True), ({"decode"}, False), (set[str](), True)):
        with pytest.raises(RuntimeError, match="expected DVC to run"):
            pipeline.check(done, expected, only)


def test_the_quick_overrides_are_keys_that_hold(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text((ROOT / "params.yaml").read_text())
    quick = climbs.read_list(ROOT / "benchmarks/quick.txt")
    climbs.override(params, climbs.values([*climbs.plan("", "dogs_vs_cats").overrides, *quick]))
    after = settings.read(params)
    assert after.train_scratch.epochs == 2
    assert after.interpretation.picture == 0  # one that is among the few


ALLOCATE = "x = bytearray({bytes}); print(len(x))"


def test_the_peak_is_that_of_the_largest_process_started(tmp_path: Path) -> None:
    inner = ALLOCATE.format(bytes=600_000_000)
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{inner}'], check=True)"
    small, large = (
        processes.measure([sys.executable, "-c", code], tmp_path, os.environ)
        for code in (ALLOCATE.format(bytes=1000), outer)
    )
    assert large.output.strip() == "600000000"
    assert 600e6 < large.peak_bytes < 1200e6 + small.peak_bytes
    assert large.status == 0
    assert large.seconds > 0


def test_the_process_that_measures_imports_nothing_large() -> None:
    """Its own memory would count in that of everything that it starts."""
    code = "import benchmarks.run, sys; print(*sys.modules)"
    done = processes.measure([sys.executable, "-c", code], ROOT, os.environ)
    assert done.status == 0
    assert not {"tensorflow", "keras", "matplotlib", "mlflow"} & set(done.output.split())


def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    code = "import sys; print('first'); sys.exit('why')"
    done = processes.measure([sys.executable, "-c", code], tmp_path, os.environ)
    assert done.status == 1
    assert done.output.split() == ["first", "why"]


def test_contestants_take_turns_and_one_that_fails_stops_no_other() -> None:
    asked: list[str] = []

    class Fake(processes.Worker):
        def __init__(self, name: str, seconds: float, fails: bool) -> None:
            self.name, self.seconds, self.fails = name, seconds, fails

        def ask(self) -> dict[str, Any]:
            asked.append(self.name)
            if self.fails:
                raise processes.WorkerError("cannot")
            return {"seconds": self.seconds}

    workers: dict[str, processes.Worker] = {
        "fast": Fake("fast", 1.0, fails=False),
        "broken": Fake("broken", 1.0, fails=True),
        "slow": Fake("slow", 100.0, fails=False),
    }
    answers = extraction.take_turns(workers, repetitions=5, seconds=1.0)
    assert asked == ["fast", "broken", "slow", "fast", "slow", "fast", "slow", "fast", "fast"]
    assert answers.failed == {"broken": "cannot"}
    assert {key: len(row) for key, row in answers.repetitions.items()} == {"fast": 5, "slow": 3}


def test_a_worker_answers_and_its_failure_is_told(tmp_path: Path) -> None:
    path = tmp_path / "train.npy"
    request = {"path": str(path), "pictures": 3, "image_size": 4}
    with processes.Worker("random_pictures", request) as worker:
        assert list(worker) == []
    assert worker.peak_bytes > 1e6
    np.testing.assert_array_equal(np.load(path), vgg16.pictures(3, 4))
    with (
        processes.Worker("random_pictures", {}) as worker,
        pytest.raises(processes.WorkerError, match="KeyError: 'path'"),
    ):
        list(worker)
    with (
        processes.Worker("random_pictures", {}) as worker,
        pytest.raises(processes.WorkerError, match="ended without an answer"),
    ):
        worker.ask()


def test_a_worker_that_died_is_closed_and_stops_no_other() -> None:
    with processes.Worker("random_pictures", {}) as worker:
        with pytest.raises(processes.WorkerError):
            worker.receive()  # its output has ended, and so has it
        answers = extraction.take_turns({"dead": worker}, repetitions=1, seconds=1.0)
        assert answers.failed == {"dead": "KeyError: 'path'"}
        worker.close()
    assert worker.peak_bytes > 1e6


def test_an_exception_in_a_worker_becomes_its_last_answer(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.workers import channel

    kept = os.dup(1)
    monkeypatch.setattr("sys.stdin", iter(["\n", "\n"]))
    answers = iter([{"n": 1}])
    channel.serve(lambda: ({"told": "first"}, lambda: next(answers)))
    os.dup2(kept, 1)
    os.close(kept)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert lines == [{"told": "first"}, {"n": 1}, {"error": "StopIteration: "}]


def test_growth_reaches_each_number_of_pictures_with_pictures_and_with_views() -> None:
    points = growth.points(plan.FULL)
    for line in points.values():
        assert [pictures * max(views, 1) for pictures, views in line] == [500, 1000, 2000, 4000]
    measured = {
        (10, 0): [{"seconds": 1.0, "peak_bytes": 5e6, "anonymous_peak_bytes": 4e6}],
        (20, 0): [{"seconds": 2.0, "peak_bytes": 6e6, "anonymous_peak_bytes": 4e6}],
    }
    lines = growth.summary(measured)["lines"]
    assert lines["seconds"]["slope"] == pytest.approx(0.1)
    assert lines["peak_bytes"]["slope"] == pytest.approx(1e5)
    assert lines["anonymous_peak_bytes"]["slope"] == pytest.approx(0, abs=1e-6)


def test_the_work_of_a_step_is_that_of_its_layers() -> None:
    from benchmarks.workers import steps

    params = settings.read(ROOT / settings.PARAMS)

    def counted(rung: str, fed: str, trains: bool) -> int:
        part = steps.build({"rung": rung, "fed": fed, "image_size": 150}, params)
        return steps.flops(part, trains)

    first = 148**2 * 9 * 3 * 32
    others = 72**2 * 9 * 32 * 64 + 34**2 * 9 * 64 * 128 + 15**2 * 9 * 128 * 128
    others += 7 * 7 * 128 * 512 + 512
    assert counted("scratch_augmented", "images", trains=True) == 2 * (2 * first + 3 * others)
    convolution = 9**2 * 9 * 512 * 512  # each of block5's
    dense = 4 * 4 * 512 * 256 + 256
    of_cut = counted("fine_tuned", "activations", trains=True)
    assert of_cut == 2 * (2 * convolution + 3 * (2 * convolution + dense))
    predicted = counted("fine_tuned", "activations", trains=False)
    assert predicted == 2 * (3 * convolution + dense)
    frozen = counted("fine_tuned", "images", trains=True) - of_cut
    assert frozen == counted("fine_tuned", "images", trains=False) - predicted
    whole = frozen + 2 * 3 * convolution
    assert counted("features_augmented", "images", trains=False) == whole + 2 * dense
    head = 2 * (2 * 4 * 4 * 512 * 256 + 3 * 256)
    assert counted("features_augmented", "features", trains=True) == head


def test_a_change_is_predicted_by_arithmetic_and_passes_over_the_weights() -> None:
    change = changes.CHANGES["batches"]
    told = [{"flops_per_picture": 30, "bytes_per_step": 400}] * 2
    turns = [
        [{"pictures_per_second": n, "flops": 10.0, "bytes": 20.0} for n in (2.0, 5.0)],
        [{"pictures_per_second": n, "flops": 10.0, "bytes": 20.0} for n in (2.0, 7.0)],
    ]
    found = changes.summary(change, told, turns)
    assert found["measured"]["values"] == [2.5, 3.5]
    # 3 seconds of arithmetic; 400 / 20 seconds of passes, by 20 pictures or by 100
    assert found["predicted"]["values"] == pytest.approx(2 * [(3 + 1) / (3 + 0.2)])
    assert found["before"]["pictures_per_second"]["values"] == [2.0, 2.0]
    assert (found["before"]["batch_size"], found["after"]["batch_size"]) == (20, 100)


@pytest.mark.parametrize("name", ["batches", "predictions"])
def test_a_change_is_measured_both_ways(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    little = replace(plan.QUICK, image_size=32, change_repetitions=1, rate_seconds=0.01)
    monkeypatch.setattr(changes, "CHANGES", {name: changes.CHANGES[name]})
    found = changes.measure(replace(little, change_seconds=0.05))["changes"][name]
    parameters = 512 * 256 + 256 + 256 + 1  # of the head on 32 / 2⁵ pixels
    passes = 6 * 4 * parameters if name == "batches" else 0  # prediction writes no weights
    assert found["before"]["bytes_per_step"] == found["after"]["bytes_per_step"] == passes
    assert found["measured"]["n"] == 1


def test_memory_that_is_no_mapped_file_is_seen() -> None:
    from benchmarks.workers import growth as worker

    before = worker.anonymous_bytes()
    if before is None:
        pytest.skip("this system does not tell")
    with worker.sampled() as highest:
        block = np.ones(60_000_000, np.uint8)
        block.sum()
        for _ in range(5):
            block.sum()
            time.sleep(worker.SAMPLING_SECONDS)
        del block
    assert highest[0] > before + 50e6


def test_extraction_without_the_disk_is_the_pipelines_own(tmp_path: Path) -> None:
    from benchmarks.workers import keras_extraction
    from ladder.networks import models

    model = models.between(keras_extraction.build(48), [keras_extraction.OUTPUT])
    pictures = vgg16.pictures(4, 48)
    memory = keras_extraction.in_memory(model, 2)(pictures)
    disk = keras_extraction.to_disk(model, 2, tmp_path)(pictures)
    assert memory.shape == (4, 1, 1, 512)
    assert memory.std() > 0.1  # weights drawn so that the scale is kept
    assert extraction.deviation(disk, memory) < 1e-3  # stored as float16


def test_a_reason_is_told_without_folders_of_this_machine() -> None:
    error = processes.WorkerError(f"Traceback\n  much\nOSError: no {ROOT}/benchmarks/x")
    assert extraction.without_paths(error) == "OSError: no ./benchmarks/x"


def test_deviation_is_relative_to_the_reference() -> None:
    reference = np.array([3.0, 4.0])
    assert extraction.deviation(1.1 * reference, reference) == pytest.approx(0.1)
    assert extraction.deviation(reference, reference) == 0


def test_the_machine_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo, meminfo = tmp_path / "cpuinfo", tmp_path / "meminfo"
    cpuinfo.write_text("model name\t: A Processor\nflags\t\t: fpu avx2 amx_bf16\n\nflags : none\n")
    meminfo.write_text("MemTotal:       2048 kB\n")
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    monkeypatch.setattr(machine, "MEMINFO", meminfo)
    told = machine.describe()
    assert told["processor"] == "A Processor"
    assert told["flags"] == ["avx2", "amx_bf16"]
    assert told["memory_bytes"] == 2048 * 1024
    assert machine.text(told).startswith(f"A Processor, {told['cores']} cores, 0 GiB, ")
    assert machine.text(told).endswith("flags avx2 amx_bf16")


@pytest.mark.parametrize(
    ("vendor", "name"), [("AuthenticAMD", "AMD EPYC"), ("GenuineIntel", "Intel(R) Xeon(R)")]
)
@pytest.mark.parametrize("flags", ["avx512_bf16", "avx512_bf16 amx_bf16", "avx2 avx512f"])
def test_the_report_and_the_pipeline_agree_on_where_bfloat16_is_fast(
    vendor: str, name: str, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ladder.networks import runtime

    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"vendor_id\t: {vendor}\nmodel name\t: {name}\nflags\t\t: {flags}\n")
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    monkeypatch.setattr(runtime, "CPUINFO", cpuinfo)
    fast = machine.has_fast_bfloat16(machine.describe())
    assert fast == (runtime.policy("auto") == "mixed_bfloat16")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"memory_bytes": 2**34 - 50_000_000}, True),  # as another kernel leaves it
        ({"memory_bytes": 2**35}, False),
        ({"cores": 4}, False),
        ({"processor": "Another"}, False),
        ({"flags": ["avx2"]}, False),
    ],
)
def test_a_machine_is_another_by_what_decides_its_figures(
    change: dict[str, Any], same: bool, found: results.Results
) -> None:
    described = found["machine"]
    assert machine.same(described, {**described, **change}) is same
    assert machine.same({**described, **change}, described) is same


def part(result: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {
        "date": "2026-01-01T00:00+00:00",
        "load": 0.1,
        "versions": {"python": "3.11"},
    }
    about |= {"commit": "abc", "uncommitted_changes": False}
    return {**about, "seconds": 9.0, "result": result}


@pytest.fixture
def found() -> results.Results:
    """Whole results, made up: the book 100 times slower than the pipeline."""
    book_rungs = {
        rung: {"extrapolated_seconds": vars(Spread(1000.0, 900.0, 1200.0, 5)), "steps_measured": 20}
        for rung in rungs.RUNGS
    }
    points = {
        (n, 0): [{"seconds": n / 10, "peak_bytes": 1e9 + n, "anonymous_peak_bytes": 8e8}]
        for n in (10, 20, 40)
    }
    limit = {
        "image_size": 150,
        "sizes": {"bfloat16": 4096, "float32": 2048},
        "flops_per_picture": 10**10,
        "activation_values_per_picture": 10**7,
        "parameters": 14_714_688,
        "per_second": {name: spread.record([2e12, 4e12]) for name in ("bfloat16", "float32")}
        | {"memory": spread.record([1e10]), "views": spread.record([1400.0])},
    }
    contestant = {"trains": True, "arithmetic": "bfloat16", "deviation": 0.01, "peak_bytes": 7e8}
    rates = {"pipeline": [170.0, 180.0], "torch_eager": [85.0, 100.0], "openvino": [200.0, 180.0]}
    return {
        "machine": {
            "processor": "A Processor",
            "cores": 2,
            "flags": ["amx_bf16"],
            "memory_bytes": 2**34,
            "system": "Linux",
        },
        "quick": False,
        "parts": {
            "limits": part(limit),
            "extraction": part(
                {
                    "image_size": 150,
                    "batch_size": 50,
                    "limits": limit,
                    "contestants": {
                        name: {
                            **contestant,
                            "trains": name != "openvino",
                            "title": name,
                            "pictures_per_second": spread.record(r),
                        }
                        for name, r in rates.items()
                    }
                    | {"torch_compiled": {"title": "compiled", "error": "no compiler"}},
                }
            ),
            "growth": part({"image_size": 150, "lines": {"features": growth.summary(points)}}),
            "changes": part(
                {
                    "image_size": 150,
                    "changes": {
                        "batches": {
                            "title": "larger batches",
                            "before": {"pictures_per_second": spread.record([2.0])},
                            "after": {"pictures_per_second": spread.record([5.0])},
                            "measured": spread.record([2.5]),
                            "predicted": spread.record([4.0]),
                        }
                    },
                }
            ),
            "book_way": part({"dataset": "d", "image_size": 150, "rungs": book_rungs}),
            "pipeline": part(
                {
                    "dataset": "d",
                    "image_size": 150,
                    "split": evaluation.BOOK_SPLIT.model_dump(),
                    "downloaded": False,
                    "stages": {"fine_tune": {"seconds": spread.record([9.0]), "peak_bytes": 4e9}},
                    "rungs": {rung: spread.record([8.0, 10.0, 12.0]) for rung in rungs.RUNGS},
                    "total_seconds": spread.record([40.0, 50.0, 60.0]),
                    "nothing_to_do_seconds": spread.record([3.0]),
                    "changed_rate_seconds": spread.record([41.0]),
                    "accuracies": {
                        "scratch": {
                            "validation_accuracy": 0.72,
                            "test_accuracy": 0.7,
                            "book": 0.71,
                        }
                    },
                }
            ),
        },
    }


def test_the_report_says_what_was_measured(found: results.Results) -> None:
    written = report.markdown(found)
    assert "A Processor, 2 cores" in written
    assert "quick" not in written
    assert "**extrapolated**" in written
    ladder = re.search(r"^\| scratch \| (.*) \|$", written, re.MULTILINE)
    assert ladder is not None
    ours = "10.0 (8.0 – 12.0)"
    assert ladder[1] == f"1,000.0 (900.0 – 1,200.0) | {ours} | 100.0 (75.0 – 150.0)"
    assert "| total | 5,000.0 (4,500.0 – 6,000.0) | 50.0 (40.0 – 60.0) | 100.0" in written
    assert "Not measured: compiled: no compiler" in written
    assert "| larger batches | 2.0 | 5.0 | 4.0 | 2.5 |" in written
    # 170 of 200 pictures/s in one turn, 180 of 400 in the other
    assert re.search(r"\| pipeline \| bfloat16 \| 175\.0 .* \| 65 \(45 – 85\) \|", written)


def test_goals_are_judged_by_medians(found: results.Results) -> None:
    reached = {what: yes for what, _, _, yes in report.goal_rows(found)}
    assert reached == {
        "the whole ladder, seconds": True,
        "after a changed rate, seconds": False,
        "nothing to do, seconds": True,
        "largest stage, MB": False,
        "scratch, validation accuracy, per cent": True,
        "times the book's way": True,
        "augmentation, views/s": False,
        "time of features, per cent from a line": True,
        "memory of features, not mapped, most times least": True,
        "extraction, times the fastest that trains": True,
        "extraction, times OpenVINO": False,  # 170 / 200 and 180 / 180: 0.925 in the middle
    }


def test_a_goal_just_missed_is_not_shown_as_its_number(found: results.Results) -> None:
    contestants = found["parts"]["extraction"]["result"]["contestants"]
    contestants["pipeline"]["pictures_per_second"] = spread.record([94.9])
    contestants["openvino"]["pictures_per_second"] = spread.record([100.0])
    assert "| extraction, times OpenVINO | ≥ 0.95 | 0.949 | no |" in report.markdown(found)


def test_goals_meant_for_another_processor_say_so(found: results.Results) -> None:
    assert "cores with AMX.\n" in report.markdown(found)
    found["machine"] |= {"flags": ["avx2"]}
    assert "cores with AMX, which this machine lacks.\n" in report.markdown(found)


def test_parts_that_were_not_measured_are_left_out(found: results.Results) -> None:
    found["parts"] = {"book_way": found["parts"]["book_way"]}
    written = report.markdown(found)
    assert "| scratch | 1,000.0 (900.0 – 1,200.0) |  |  |" in written
    assert "## Extraction" not in written
    assert report.summary({**found, "quick": True}).startswith("A quick try-out")
    assert len(report.summary(found).splitlines()) == 7  # a heading, five rungs, the total
    assert report.summary({**found, "parts": {}}) == ""


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("book_way", {"image_size": 96}),
        ("book_way", {"dataset": "other"}),
        ("pipeline", {"split": {**evaluation.BOOK_SPLIT.model_dump(), "train_per_class": 40}}),
    ],
)
def test_other_pictures_give_no_ratio(
    part: str, change: dict[str, Any], found: results.Results
) -> None:
    found["parts"][part]["result"] |= change
    assert all(row.ratio is None for row in report.ladder_rows(found))
    assert "of different pictures: no ratios" in report.markdown(found)


def test_the_plot_draws_whatever_there_is(found: results.Results) -> None:
    found["parts"]["extraction"]["result"]["contestants"]["openvino"]["arithmetic"] = "float32"
    limit = found["parts"]["extraction"]["result"]["limits"]
    limit["per_second"]["float32"] = spread.record([1e12])
    ladder, rates, seconds, memory = plot.figure(found).axes
    assert ladder.get_xscale() == "log"
    dots = [line.get_xdata() for line in ladder.lines if line.get_marker() == "o"]
    assert np.asarray(dots).tolist() == [5 * [1000] + [5000], 5 * [10] + [50]]
    written = [text.get_text() for text in ladder.texts]
    assert written == 5 * ["1,000", "10", "100 ×"] + ["5,000", "50", "100 ×"]
    titles = [label.get_text() for label in rates.get_yticklabels()]
    assert titles == ["openvino", "pipeline", "torch_eager"]  # the fastest first
    (matrices,) = (line for line in rates.lines if str(line.get_label()).startswith("what"))
    assert np.asarray(matrices.get_xdata()).tolist() == [100, 400, 400]  # each in its arithmetic
    assert seconds.has_data()
    assert memory.has_data()
    found["parts"] = {"growth": found["parts"]["growth"]}
    assert [axes.has_data() for axes in plot.figure(found).axes] == [False, False, True, True]


def test_a_plot_of_one_way_has_no_ratio(found: results.Results) -> None:
    found["parts"] = {"pipeline": found["parts"]["pipeline"]}
    ladder = plot.figure(found).axes[0]
    assert [text.get_text() for text in ladder.texts] == 5 * ["10"] + ["50"]


def test_measuring_goes_on_with_the_results_of_this_machine_alone(
    found: results.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(machine, "describe", lambda: found["machine"])
    assert results.start(quick=False)["parts"] == {}
    results.write(found)
    assert results.start(quick=False) == found
    assert list(results.start(quick=False)["parts"]) == list(found["parts"])  # in order
    assert results.start(quick=True)["parts"] == {}
    monkeypatch.setattr(machine, "describe", lambda: {**found["machine"], "cores": 4})
    with pytest.raises(errors.InputError, match=r"this machine, A Processor, 4 cores.* aside"):
        results.start(quick=False)
    assert results.read(quick=False) == found


def test_results_are_redrawn_as_they_are_on_any_machine(
    found: results.Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["run", "--redraw"])
    with pytest.raises(errors.InputError, match="no such file"):
        run.main()
    results.write(found)
    monkeypatch.setattr(machine, "describe", lambda: {**found["machine"], "cores": 4})
    before = (tmp_path / "benchmark.json").read_text()
    run.main()
    assert (tmp_path / "benchmark.md").read_text() == report.markdown(found)
    assert (tmp_path / "benchmark.png").stat().st_size > 10_000
    assert (tmp_path / "benchmark.json").read_text() == before


def test_the_command_line_names_the_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.parse(["growth", "--quick"]).parts == ["growth"]
    with pytest.raises(SystemExit):
        run.parse(["no_such_part"])
    assert (
        "there are limits, extraction, growth, changes, book_way, pipeline"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("wrong", [["no_such_part"], ["--climbs", "0"]])
def test_what_cannot_be_measured_is_refused(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run.parse(wrong)
    assert wrong[-1] in capsys.readouterr().err
