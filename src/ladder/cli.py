"""The command `ladder`: a thin face over the packages, which are imported inside its commands."""

from pathlib import Path
from typing import Annotated

import typer

from ladder import errors

app = typer.Typer(
    help="Which network do your labelled pictures need? Climb five rungs and see.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Pictures = Annotated[
    str,
    typer.Argument(
        metavar="[PICTURES|NAME]",
        help="A folder or zip of pictures, or the name of a dataset; by default params.yaml's.",
    ),
]
Name = Annotated[str, typer.Option(help="What to call the dataset; by default as its folder.")]
Recipe = Annotated[str, typer.Option(help="More overrides: a list in recipes/.")]
Ladder = Annotated[str, typer.Option(help="Whose model; by default the only one.")]
Rung = Annotated[str, typer.Option(help="Another rung than the advised one, such as fine_tuned.")]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "-S",
        "--set-param",
        metavar="KEY=VALUE",
        help="A value of params.yaml, such as -S image_size=96.",
    ),
]


@app.command()
def climb(
    pictures: Annotated[
        str,
        typer.Argument(
            metavar="PICTURES|NAME", help="A folder or zip of pictures, or the name of a dataset."
        ),
    ],
    name: Name = "",
    recipe: Recipe = "",
    changes: Changes = None,
    corrections: Annotated[
        Path | None, typer.Option(help="Decisions on labels: the corrections.csv of the page.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
) -> None:
    """Train all five rungs on your pictures, and print what each brings and costs.

    PICTURES has a folder for each class, such as Oak/holiday.jpg. It may be divided into train,
    validation and test, or have a metadata.csv. It is never changed. Run this in the project's
    folder.
    """
    from ladder.climbs import climbs

    climbs.run(pictures, name, recipe, changes or [], corrections, dry_run=dry_run)


@app.command()
def report(
    dataset: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A dataset, or a folder such as reports/oaks.")
    ] = "",
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
) -> None:
    """Print the ladder of a dataset, by default params.yaml's, and the place of its page."""
    from ladder.page import report

    report.show(dataset, open_page=open_page)


@app.command()
def predict(
    files: Annotated[
        list[str], typer.Argument(metavar="PATH…", help="Pictures, folders, or patterns of names.")
    ],
    ladder: Ladder = "",
    rung: Rung = "",
    csv: Annotated[Path | None, typer.Option(help="Write the table to this file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    heatmap: Annotated[
        Path | None, typer.Option(help="A folder for pictures of where the model looked.")
    ] = None,
) -> None:
    """Name the class of pictures with the model of a climb."""
    from ladder.page import predict

    raise typer.Exit(predict.predict_paths(files, ladder or None, rung or None, csv, json, heatmap))


@app.command()
def serve(
    ladder: Ladder = "",
    port: Annotated[int, typer.Option(help="On 127.0.0.1.")] = 5001,
) -> None:
    """Serve the model of a climb over HTTP on 127.0.0.1, by MLflow's own server."""
    from ladder.page import serving

    raise typer.Exit(serving.serve(ladder or None, port))


@app.command()
def demo(
    ladder: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Whose model; by default the only one.")
    ] = "",
    rung: Rung = "",
    port: Annotated[int, typer.Option(help="On 127.0.0.1.")] = 7860,
) -> None:
    """Show a page on 127.0.0.1 that takes a picture and says its class, and where it looked."""
    from ladder.page import demo

    raise typer.Exit(demo.run(ladder or None, rung or None, port))


@app.command()
def export(
    ladder: Annotated[str, typer.Argument(metavar="NAME", help="Whose model.")],
    format_name: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="saved_model, onnx or litert.")
    ],
    rung: Rung = "",
    output: Annotated[
        Path | None, typer.Option(help="The folder; by default exports/NAME/FORMAT.")
    ] = None,
) -> None:
    """Write the model of a climb for programs without Ladder, and check it on the test pictures."""
    from ladder.climbs import exports

    raise typer.Exit(exports.run(ladder, format_name, rung or None, output))


@app.command()
def seeds(
    pictures: Pictures = "",
    count: Annotated[int, typer.Option(help="How many seeds, at least.")] = 5,
    name: Name = "",
    recipe: Recipe = "",
    changes: Changes = None,
) -> None:
    """Climb with the seeds 0 to COUNT - 1, to see what is chance; those climbed before count."""
    from ladder.climbs import recipes, seeds

    seeds.run(count, recipes.plan(pictures, name, recipe, changes or []))


@app.command()
def learning_curve(
    pictures: Pictures = "",
    count: Annotated[
        list[int] | None, typer.Option(help="Train pictures of a class; again for more.")
    ] = None,
    name: Name = "",
    recipe: Recipe = "",
    changes: Changes = None,
) -> None:
    """Climb rungs 3 to 5 on fewer and fewer pictures, to see if more labels would help."""
    from ladder.climbs import learning_curve, recipes

    learning_curve.run(count or [], recipes.plan(pictures, name, recipe, changes or []))


@app.command()
def bases(
    pictures: Pictures = "",
    base: Annotated[
        list[str] | None, typer.Option(help="A pretrained base, such as resnet50; again for more.")
    ] = None,
    size: Annotated[
        list[int] | None, typer.Option(help="Pixels a side of its pictures; again for more.")
    ] = None,
    name: Name = "",
    recipe: Recipe = "",
    changes: Changes = None,
) -> None:
    """Climb rung 3 on several pretrained bases, by default all whose weights are here."""
    from ladder.climbs import bases, recipes

    plan = recipes.plan(pictures, name, recipe, changes or [])
    bases.run(base or [], size or [], changes or [], plan)


@app.command()
def check(
    pictures: Pictures = "",
    name: Name = "",
    recipe: Recipe = "",
    quick: Annotated[bool, typer.Option("--quick", help="Drawn pictures, a few minutes.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Make the reference of --quick.")
    ] = False,
) -> None:
    """Climb again in a clean copy and compare with what is committed."""
    from ladder.climbs import recipes, reproduction

    if (quick or update) and (pictures or name or recipe):
        raise typer.BadParameter("the quick form draws its own pictures and takes no recipe")
    plan = None if quick or update else recipes.plan(pictures, name, recipe)
    reproduction.run(plan, update=update)


@app.command()
def cache() -> None:
    """Check every file of DVC's cache and delete damaged ones; `dvc repro` makes them again."""
    from ladder import cache

    if not Path(".dvc").is_dir():
        raise errors.InputError(
            str(Path.cwd()),
            expected="a DVC project",
            received="no folder .dvc",
            advice="Run from the project's root.",
        )
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
