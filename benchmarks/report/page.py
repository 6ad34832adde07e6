"""The whole report."""

from benchmarks import machine, results
from benchmarks.report import arithmetic, extraction, ladders
from benchmarks.report.tables import table, text
from benchmarks.spread import Spread
from ladder import base_names

QUICK = "**A quick try-out, on few pictures and steps: not a result.**\n"
# What is aimed at: the book's way by the whole ladder, the whole ladder by its arithmetic, this
# pipeline's extraction by the fastest.
BOOK_GOAL, ARITHMETIC_GOAL, EXTRACTION_GOAL = 25, 1.2, 0.95


def markdown(measured: results.Results) -> str:
    """Returns the whole report. Parts that were not measured are left out."""
    parts, climbed = results.by_part(measured), results.ladders(measured)
    sections = [
        "# Benchmark\n",
        QUICK if measured["quick"] else "",
        measured_on(measured),
        goals(measured),
        ladders.both_ways(measured) if {"book_way", "pipeline"} & parts.keys() else "",
        ladders.between_bases(measured) if len(climbed) > 1 else "",
        arithmetic.matrix_products(parts["matrix"]) if "matrix" in parts else "",
        *(arithmetic.of_ladder(measured, base) for base in climbed),
        *(ladders.stages(parts["pipeline"], base) for base in climbed),
        extraction.rates(parts["extraction"]) if "extraction" in parts else "",
    ]
    return "\n".join(filter(None, sections))


def measured_on(measured: results.Results) -> str:
    """Returns machine, dates, commits and versions."""
    precision = "bfloat16" if machine.has_fast_bfloat16(measured["machine"]) else "float32"
    rows, notes = [], []
    for name, part in measured["parts"].items():
        commit = part["commit"] + (" and changes" if part["uncommitted_changes"] else "")
        load = "" if part["load"] is None else f"{part['load']:.1f}"
        rows.append((name, part["date"], commit, f"{part['seconds']:,.0f}", load))
        versions = dict(part["versions"])
        versions |= extraction.versions(part["result"]) if name == "extraction" else {}
        notes.append(f"- {name}: {', '.join(f'{k} {v}' for k, v in versions.items())}\n")
    header = ("part", "date", "commit", "seconds", "load before")
    where = f"{machine.text(measured['machine'])}; this pipeline chooses {precision}.\n"
    return "\n".join([where, table(header, rows), "".join(notes)])


def goals(measured: results.Results) -> str:
    """Returns the ratios that are aimed at, for each base; "" where none of them was measured."""
    parts, climbed = results.by_part(measured), results.ladders(measured)
    of_extraction = parts["extraction"]["bases"] if "extraction" in parts else {}
    ratios: list[tuple[str, str, dict[str, Spread | None]]] = [
        (
            "the book's way by the whole ladder",
            f"at least {BOOK_GOAL}",
            {base: ladders.rows(measured, base)[-1].ratio for base in climbed},
        ),
        (
            "the whole ladder by its arithmetic at the best matrix rate",
            f"at most {ARITHMETIC_GOAL}",
            {base: arithmetic.ratio_of_whole(measured, base) for base in climbed},
        ),
        (
            "this pipeline's extraction by the fastest",
            f"at least {EXTRACTION_GOAL}",
            {base: extraction.share_of_fastest(part) for base, part in of_extraction.items()},
        ),
    ]
    bases = list(dict.fromkeys([*climbed, *of_extraction]))
    lines = [
        (name, goal, *(text(values.get(base), 2) for base in bases))
        for name, goal, values in ratios
        if any(values.values())
    ]
    header = ("ratio", "goal", *(base_names.BASES[base].title for base in bases))
    return "\n".join(["## Goals\n", table(header, lines)]) if lines else ""
