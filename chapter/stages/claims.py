"""Says of every claim whether it holds, in tables and on a page."""

from dataclasses import asdict

import pandas as pd

from ladder import artifacts, errors
from ladder.claims import chapter_figures, chapter_page, pretrained, verdicts
from ladder.experiments import plan
from ladder.page import png


def main() -> None:
    digits, pooled = artifacts.read_npz(plan.DIGITS), artifacts.read_npz(plan.POOLING)
    counts, padding = artifacts.read_csv(plan.COUNTS), artifacts.read_csv(plan.PADDING)
    names = [name for name in pooled if not name.endswith("_seconds")]
    seconds = {name: float(pooled[f"{name}_seconds"].mean()) for name in names}
    measured = {name: verdicts.mean_with_interval(digits[name]) for name in ("convnet", "dense")}
    shifts = verdicts.shifts(digits["convnet_shifted"], digits["dense_shifted"], digits["cut"])
    pooling = verdicts.pooling({name: pooled[name] for name in names}, counts, seconds)
    depth = pretrained.depth(artifacts.read_npz(plan.BLOCKS))
    heads, curves = pretrained.heads(artifacts.read_npz(plan.HEADS))
    fine_tuned = artifacts.read_npz(plan.FINE_TUNING)
    fine_tuning, heat = pretrained.fine_tuning(fine_tuned), pretrained.heat(fine_tuned)
    unfreezing = pretrained.unfreezing(artifacts.read_npz(plan.UNFREEZING))
    amounts = pretrained.amounts(artifacts.read_npz(plan.AMOUNTS))
    every = [
        *verdicts.of_digits(measured["convnet"], measured["dense"]),
        *verdicts.of_shifts(shifts),
        *verdicts.of_padding(padding),
        *verdicts.of_pooling(pooling),
        *pretrained.of_amounts(amounts),
        *pretrained.of_depth(depth),
        *pretrained.of_heads(heads),
        *pretrained.of_fine_tuning(fine_tuning),
        *pretrained.of_unfreezing(unfreezing),
        *pretrained.of_heat(heat),
    ]
    machine = artifacts.read_json(plan.MACHINE)
    tables = {
        "claims": pd.DataFrame([asdict(claim) for claim in every]),
        "shifts": shifts,
        "pooling": pooling,
        "padding": padding,
        "amounts": amounts,
        "depth": depth,
        "heads": heads,
        "heads_by_epoch": curves,
        "fine_tuning": fine_tuning,
        "unfreezing": unfreezing,
        "heat": heat,
    }
    for name, frame in tables.items():
        artifacts.write_csv(plan.REPORTS / f"{name}.csv", frame)
    artifacts.write_json(plan.REPORTS / "digits.json", verdicts.headline(measured))
    drawn = {
        "shifts": chapter_figures.shifts(shifts),
        "pooling": chapter_figures.pooling(pooling),
        "amounts": chapter_figures.amounts(amounts),
        "depth": chapter_figures.depth(depth),
        "heads": chapter_figures.heads(curves),
        "unfreezing": chapter_figures.unfreezing(unfreezing),
    }
    for name, figure in drawn.items():
        png.write(plan.REPORTS / f"figures/{name}.png", figure)
    pictures = {name: plan.REPORTS / f"figures/{name}.png" for name in drawn}
    artifacts.write_text(plan.PAGE, chapter_page.build(every, tables, pictures, machine))
    print(tables["claims"][["section", "verdict", "claim"]].to_string(index=False))


if __name__ == "__main__":
    errors.run(main)
