"""The command `ladder`: a thin face over the packages, which are imported inside its commands."""

from pathlib import Path
from typing import Annotated

import typer

from ladder import errors

app = typer.Typer(
    help="Up the five rungs of small-data image classification.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
Quick = Annotated[bool, typer.Option("--quick", help="Drawn pictures, a few minutes.")]
Update = Annotated[bool, typer.Option("--update", help="Make the reference of --quick.")]
Archive = Annotated[str, typer.Option(help="Zip or folder of pictures, for the recipes.")]
Recipe = Annotated[str, typer.Option(help="A list of overrides in recipes/.")]


@app.command()
def climb(archive: Archive = "", recipe: Recipe = "") -> None:
    """Climb in a copy, by default on the book's photographs, and print the ladder."""
    from ladder.climbs import climbs

    climbs.run(archive, recipe)


@app.command()
def report(
    folder: Annotated[Path | None, typer.Argument(help="Such as reports/cifar10.")] = None,
    open_page: Open = False,
) -> None:
    """Print the ladder in a folder of reports, by default that of params.yaml's dataset."""
    from ladder.page import report

    report.show(folder, open_page=open_page)


@app.command()
def seeds(
    count: Annotated[int, typer.Option(help="How many seeds, at least.")] = 5,
    archive: Archive = "",
    recipe: Recipe = "",
) -> None:
    """Climb with the seeds 0 to COUNT - 1; those climbed before count."""
    from ladder.climbs import seeds

    seeds.run(count, archive, recipe)


@app.command()
def learning_curve(
    per_class: Annotated[list[int] | None, typer.Argument(help="Pictures of a class.")] = None,
    archive: Archive = "",
    recipe: Recipe = "",
) -> None:
    """Climb rungs 3 to 5 on fewer and fewer pictures."""
    from ladder.climbs import learning_curve

    learning_curve.run(per_class or [], archive, recipe)


@app.command()
def check(
    archive: Archive = "",
    recipe: Recipe = "",
    quick: Quick = False,
    update: Update = False,
) -> None:
    """Climb again in a clean copy and compare with what is committed."""
    from ladder.climbs import reproduction

    reproduction.run(archive, recipe, quick=quick, update=update)


@app.command()
def cache() -> None:
    """Check every file of DVC's cache and delete damaged ones; `dvc repro` makes them again."""
    from ladder import cache

    damaged = cache.damaged()
    for path in cache.delete(damaged):
        print(f"deleted: {path}")
    print(f"ladder: {len(damaged)} damaged files" + (": run `dvc repro`" if damaged else ""))


@app.command()
def ui() -> None:
    """Open MLflow on 127.0.0.1, at the port in the environment's PORT or 5000."""
    from ladder import tracking

    tracking.ui()


def main() -> None:
    """Runs the command line; an error that a person can mend ends it with a message."""
    errors.run(app)


if __name__ == "__main__":
    main()
