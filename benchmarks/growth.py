"""Part growth: time and peak memory of extraction by the number of pictures, and of views."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import spread
from benchmarks.plan import Plan
from benchmarks.processes import Worker

MEASURED = ("seconds", "peak_bytes", "anonymous_peak_bytes")


def points(plan: Plan) -> dict[str, list[tuple[int, int]]]:
    """Returns what is measured, by line: (pictures, views of each); 0 views: features alone."""
    counts = plan.growth_counts
    return {
        "features": [(count, 0) for count in counts],
        "views": [(count, 1) for count in counts],
        "more_views": [(counts[0], views) for views in plan.growth_views],
    }


def measure(plan: Plan) -> dict[str, Any]:
    """Returns time and memory of every point, each in a process of its own, and lines through them.

    The pictures are random and lie in one file, of which the points map as many as they need.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "train.npy"
        request = {"image_size": plan.image_size, "path": str(path)}
        with Worker("random_pictures", {**request, "pictures": max(plan.growth_counts)}) as worker:
            list(worker)
        wanted = [(line, point) for line, row in points(plan).items() for point in row]
        found: dict[str, dict[tuple[int, int], list[dict[str, float]]]] = {}
        bar = tqdm(wanted * plan.growth_repetitions, "growth", unit="point", disable=None)
        for line, point in bar:
            known = found.setdefault(line, {}).setdefault(point, [])
            known.append(measure_point(request, *point))
    return {
        "image_size": plan.image_size,
        "lines": {line: summary(by_point) for line, by_point in found.items()},
    }


def measure_point(request: dict[str, Any], pictures: int, views: int) -> dict[str, float]:
    """Returns the seconds of one extraction, its peak memory, and that without mapped files."""
    with tempfile.TemporaryDirectory(dir=Path(request["path"]).parent) as folder:
        point = {**request, "pictures": pictures, "views": views, "folder": folder}
        with Worker("growth", point) as worker:
            worker.receive()
            answer = worker.ask()
            worker.close()
    return {**answer, "peak_bytes": worker.peak_bytes}


def summary(by_point: dict[tuple[int, int], list[dict[str, float]]]) -> dict[str, Any]:
    """Returns the points with their spreads, and a line through all repetitions of each measure.

    A line's x is how many pictures, or views of them, went through the base.
    """
    rows: list[dict[str, Any]] = [
        {
            "pictures": pictures,
            "views": views,
            "extracted": pictures * max(views, 1),
            **{name: spread.record([r[name] for r in repetitions]) for name in MEASURED},
        }
        for (pictures, views), repetitions in by_point.items()
    ]
    x = [row["extracted"] for row in rows for _ in row["seconds"]["values"]]
    lines = {
        name: asdict(spread.line(x, [value for row in rows for value in row[name]["values"]]))
        for name in MEASURED
    }
    return {"points": rows, "lines": lines}
