"""The rates of extraction, of this pipeline and of other frameworks."""

from typing import Any

from benchmarks import spread
from benchmarks.report.tables import megabytes, table, text, title
from benchmarks.spread import Spread
from ladder import base_names


def rates(part: dict[str, Any]) -> str:
    """Returns a table for each base."""
    return "\n".join(of_base(part, base) for base in part["bases"])


def of_base(part: dict[str, Any], base: str) -> str:
    """Returns every contestant's rate with a base, and its ratio to the pipeline's rate."""
    measured, names = part["bases"][base], base_names.BASES[base]
    pipeline_rate = measured["contestants"]["pipeline"].get("pictures_per_second")
    lines, notes = [], []
    for contestant in measured["contestants"].values():
        if "error" in contestant:
            notes.append(f"Not measured: {contestant['title']}: {contestant['error']}\n")
            continue
        rate = contestant["pictures_per_second"]
        ratio = spread.paired(rate, pipeline_rate) if pipeline_rate else None
        line = [contestant["title"], contestant["arithmetic"], text(spread.read(rate))]
        line += [text(ratio, 2)]
        line += [f"{100 * contestant['deviation']:.2f} %" if "deviation" in contestant else ""]
        lines.append([*line, megabytes(contestant["peak_bytes"])])
    header = [f"{names.title} up to {names.layers[-1]}", "arithmetic used", "pictures/s"]
    header += ["times this pipeline", "features differ from float32 by", "peak memory, MB"]
    first, share = fastest(measured), share_of_fastest(measured)
    if first and share:
        notes.append(
            f"The fastest is {first['title']}. This pipeline has {text(share, 2)} of its rate.\n"
        )
    heading = f"## Extraction, {title(base, measured['image_size'])}, "
    heading += f"batches of {part['batch_size']}, all cores\n"
    return "\n".join([heading, table(header, lines), *notes])


def fastest(measured: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the contestant with the highest median rate; None if none was measured."""
    rated = [each for each in measured["contestants"].values() if "error" not in each]
    return max(rated, key=lambda each: float(each["pictures_per_second"]["median"]), default=None)


def share_of_fastest(measured: dict[str, Any]) -> Spread | None:
    """Returns the pipeline's rate by that of the fastest contestant, which it may be itself."""
    own, first = measured["contestants"]["pipeline"], fastest(measured)
    if first is None or "error" in own:
        return None
    return spread.paired(own["pictures_per_second"], first["pictures_per_second"])


def versions(part: dict[str, Any]) -> dict[str, str]:
    """Returns the versions of the frameworks that are compared with, without OpenVINO's build."""
    contestants = (c for base in part["bases"].values() for c in base["contestants"].values())
    return {
        name: version.split("-")[0]
        for contestant in contestants
        for name, version in contestant.get("versions", {}).items()
        if name in ("torch", "openvino")
    }
