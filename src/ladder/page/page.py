"""One self-contained page: the story of a ladder from its staircase to its mistakes."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from PIL import Image

from ladder import paths, rungs
from ladder.evidence import evaluation
from ladder.page import report, sentences
from ladder.pictures import manifests

Pixels = NDArray[np.uint8]
SHOWN = 10  # rows of a list that may be long

DATASETS = {
    "cifar10": "CIFAR-10's cats and dogs",
    "dogs_vs_cats": "photographs of cats and dogs",
}  # of the classes "cat" and "dog"

# What stands under a figure; its first sentence is also what is read aloud in its place.
CAPTIONS = {
    "staircase": "Test accuracy as a step per rung, with 95 % intervals of test and validation.",
    "curves": "Loss and accuracy by epoch. The dotted line is the epoch that was kept: the one "
    "with the lowest validation loss.",
    "reliability": "Accuracy by confidence. On the diagonal a probability means what it says; "
    "bins of fewer than 20 pictures are pale. ECE is the expected calibration error (Guo et al. "
    "2017); below, what it stays under in 95 % of cases where every probability means what it says "
    "(Bröcker and Smith 2007).",
    "roc": "True against false positives for every threshold.",
    "precision_recall": "Precision against recall for every threshold.",
    "confusion": "Test pictures by true and predicted class.",
    "seeds": "Every seed's accuracy, their mean, and its interval over seeds and pictures. On the "
    "subset that the book measured a rung on, where its mark is shown; else on test.",
    "learning_curve": "Test accuracy by number of train pictures. One seed; with fewer "
    "pictures as many more epochs, so that every training sees as many pictures in all, in more "
    "steps where they are too few to fill a batch. All validation pictures choose the epoch.",
    "operations": "Filters that people wrote by hand, and filters that the convnet from scratch "
    "learned. Interpolation, denoising, edges and few colours; below, kernels of the first "
    "convolution, each next to its response to the same picture.",
    "activations_scratch": "Every channel of the convnet from scratch for one picture, layer by "
    "layer: from edges to what matters for the answer. Dark channels do not respond.",
    "blank_shares": "Share of channels that do not respond, by layer. In the book it grows with "
    "depth.",
    "filters": "What VGG16's filters respond to most: edges, then textures, then parts.",
}


@dataclass(frozen=True)
class Picture:
    """Thumbnails (S, S, 3) with their caption and alternative text."""

    pixels: Sequence[Pixels]
    caption: str
    alt: str

    @property
    def images(self) -> list[str]:
        return [thumbnail(pixels) for pixels in self.pixels]


@dataclass(frozen=True)
class Galleries:
    """The pictures that the page shows."""

    mistakes: Mapping[rungs.Rung, Sequence[Picture]]
    example: Sequence[Picture]
    everywhere: Sequence[Picture]  # wrong on every rung
    suspects: Sequence[Picture]
    views: Sequence[Picture]


@dataclass(frozen=True)
class Content:
    """All that the page says and shows."""

    reports: report.Reports
    manifest: pd.DataFrame
    quarantine: pd.DataFrame
    galleries: Galleries
    figures: Mapping[str, Path]  # those without a caption are not shown

    @property
    def class_names(self) -> list[str]:
        return manifests.class_names(self.manifest)


def build(content: Content) -> str:
    """Returns the page as HTML: pictures inside, no script, nothing from elsewhere.

    Names are escaped, whatever they hold.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    reports, galleries = content.reports, content.galleries
    return environment.get_template("page.html").render(
        title=title(reports.source, content.class_names),
        lead=lead(reports.ladder),
        counts_sentence=counts_sentence(content.manifest),
        sections=sections(content),
        has_book=len(reports.book) > 0,
        rungs=rung_rows(reports.ladder, reports.paired),
        book=book(reports.book),
        advice=reports.advice,
        steps=sentences.steps(reports.paired),
        control=reports.control,
        majority=f"{100 * evaluation.majority(content.manifest)['test']:.1f}",
        figures={n: figure(n, path) for n, path in content.figures.items() if n in CAPTIONS},
        example=galleries.example,
        mistakes=list(galleries.mistakes.items()),
        everywhere=galleries.everywhere,
        class_names=content.class_names,
        commands=commands(reports.source),
        runtimes=runtimes(reports.runtimes),
        params=yaml.safe_dump(dict(reports.identity.params), sort_keys=False),
        fingerprint=reports.identity.fingerprint,
        **studies(content),
        **pictures(content),
    )


def title(source: str, class_names: Sequence[str]) -> str:
    """Returns what the pictures are, in words."""
    if list(class_names) == ["cat", "dog"] and source in DATASETS:
        return DATASETS[source]
    *first, last = class_names
    return f"pictures of {', '.join(first)} and {last}"


def sections(content: Content) -> list[tuple[str, str]]:
    """Returns the page's sections in order: where a link goes, and what it says."""
    tables = content.reports.studies
    return [
        ("ladder", "The ladder"),
        *([("book", "Against the book")] if len(content.reports.book) else []),
        ("curves", "How they learned"),
        ("calibration", "Probabilities"),
        *((study["id"], study["title"]) for study in drawn_studies(content)),
        *(
            [("recipes", "Other recipes")]
            if len(tables.recipes) or len(tables.recipes_seeds)
            else []
        ),
        ("mistakes", "Mistakes"),
        ("inside", "What they see"),
        ("data", "The pictures"),
        ("again", "Get it again"),
    ]


def drawn_studies(content: Content) -> list[dict[str, str]]:
    """Returns the studies that there is a figure of."""
    titles = {"seeds": "The same with other seeds", "learning_curve": "Would more labels help?"}
    return [{"id": n, "title": title} for n, title in titles.items() if n in content.figures]


def studies(content: Content) -> dict[str, Any]:
    """Returns what the page says of the studies of this climb."""
    tables = content.reports.studies
    return {
        "studies": drawn_studies(content),
        "seeds": seeds(tables.seeds_summary),
        "seeds_steps": sentences.seeds_steps(tables.seeds_steps),
        "gains": sentences.gains(tables.learning_curve_gains),
        "recipes": recipes(tables.recipes),
        "recipes_seeds": recipes_seeds(tables.recipes_seeds),
        "left_out": tables.left_out,
    }


def pictures(content: Content) -> dict[str, Any]:
    """Returns what the page says of the pictures themselves."""
    counts = content.manifest.groupby(["subset", "class_name"]).size()
    reports = content.reports
    return {
        "subsets": [(s, [int(counts[s, n]) for n in content.class_names]) for s in paths.SUBSETS],
        "quarantine": content.quarantine.head(SHOWN).to_dict("records"),
        "quarantine_sentence": _listed(len(content.quarantine), "unreadable picture", "left out"),
        "duplicates": reports.duplicates.head(SHOWN).to_dict("records"),
        "duplicates_sentence": _listed(
            len(reports.duplicates), "pair of pictures", "nearly the same, in two subsets"
        ),
        "without_duplicates": without_duplicates(reports.ladder) if len(reports.duplicates) else "",
        "suspects": content.galleries.suspects,
        "suspects_sentence": _counted(len(reports.suspects), "label", "suspected to be wrong"),
        "planted": reports.planted.to_dict("records"),
        "views": content.galleries.views,
    }


def lead(ladder: pd.DataFrame) -> str:
    """Returns the story in a sentence."""
    accuracy = 100 * ladder.set_index("rung")["test_accuracy"]
    return (
        f"From {accuracy.iloc[0]:.1f} % on test with a convnet from scratch to "
        f"{accuracy.iloc[-1]:.1f} % with the last block of a pretrained network fine-tuned; "
        f"best is {accuracy.idxmax()} with {accuracy.max():.1f} %."
    )


def counts_sentence(manifest: pd.DataFrame) -> str:
    """Returns how many pictures each subset has."""
    counts = manifest["subset"].value_counts()
    return (
        f"{counts['train']:,} pictures to train on, {counts['validation']:,} to choose the epoch "
        f"by, {counts['test']:,} seen by no training."
    )


def _counted(count: int, what: str, how: str) -> str:
    plural = what.replace("pair", "pairs") if "pair" in what else f"{what}s"
    return f"{count:,} {what if count == 1 else plural} {how}." if count else f"No {what} {how}."


def _listed(count: int, what: str, how: str) -> str:
    """Returns the same of what is listed up to a number."""
    return _counted(count, what, f"{how}; {SHOWN} are listed" if count > SHOWN else how)


def rung_rows(ladder: pd.DataFrame, paired: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the ladder's table, as text."""
    neighbours = paired[paired["family"] == "neighbours"].set_index("rung")
    rows, before = [], None
    for row in ladder.to_dict("records"):
        test = 100 * row["test_accuracy"]
        step = neighbours.loc[row["rung"]] if row["rung"] in neighbours.index else None
        rows.append(
            {
                "rung": row["rung"],
                "book": "" if pd.isna(row["book"]) else f"{100 * row['book']:.0f}",
                "validation": f"{100 * row['validation_accuracy']:.1f}",
                "test": f"{test:.1f}",
                "interval": sentences.interval(row["test_ci_low"], row["test_ci_high"]),
                "step": "" if before is None else f"{test - before:+.1f}".replace("-", "−"),
                "p": "" if step is None else sentences.p_value(step["p_value_holm"]),
                "seconds": f"{row['seconds']:,.0f}",
                "parameters": f"{row['trainable_parameters']:,}",
            }
        )
        before = test
    return rows


def book(table: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table against the book, as text."""
    return [
        {
            "rung": row["rung"],
            "book": f"{100 * row['book']:.0f}",
            "subset": row["subset"],
            "accuracy": f"{100 * row['accuracy']:.1f}",
            "interval": sentences.interval(row["ci_low"], row["ci_high"]),
            "verdict": row["verdict"],
            "notebook": row["notebook"],
        }
        for row in table.to_dict("records")
    ]


def seeds(summary: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table of means over seeds, as text."""
    return [
        {
            "rung": row["rung"],
            "subset": row["subset"],
            "seeds": str(row["seeds"]),
            "mean": sentences.mean(row["mean"], row["standard_deviation"]),
            "interval": sentences.interval(row["ci_low"], row["ci_high"]),
        }
        for row in summary.to_dict("records")
    ]


def recipes(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table of recipes compared with this climb, as text."""
    return [
        {
            "recipe": row["recipe"],
            "rung": row["rung"],
            "compared_with": row["compared_with"],
            "accuracy": f"{100 * row['accuracy']:.1f}",
            "other_accuracy": f"{100 * row['other_accuracy']:.1f}",
            "interval": sentences.interval(row["ci_low"], row["ci_high"]),
            "apart": f"{row['recipe_right_alone']} : {row['other_right_alone']}",
            "p": sentences.p_value(row["p_value_holm"]),
        }
        for row in frame.to_dict("records")
    ]


def recipes_seeds(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Returns the rows of the table of recipes compared with this climb over seeds, as text."""
    return [
        {
            "recipe": row["recipe"],
            "rung": row["rung"],
            "seeds": str(row["seeds"]),
            "default": sentences.mean(row["default_mean"], row["default_standard_deviation"]),
            "mean": sentences.mean(row["mean"], row["standard_deviation"]),
            "difference": f"{100 * row['difference']:+.1f}",
            "interval": sentences.difference(row["ci_low"], row["ci_high"]),
        }
        for row in frame.to_dict("records")
    ]


def without_duplicates(ladder: pd.DataFrame) -> str:
    """Returns the sentence on test accuracy without the pictures that stand in two subsets."""
    accuracies = ladder.set_index("rung")["test_accuracy_without_duplicates"]
    each = ", ".join(f"{rung} {100 * accuracy:.1f}" for rung, accuracy in accuracies.items())
    return f"Test accuracy without the pictures concerned, in per cent: {each}."


def figure(name: str, path: Path) -> dict[str, Any]:
    """Returns a figure's PNG as a data URI, with its size, caption and alternative text."""
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    caption = CAPTIONS[name]
    return {
        "source": _uri(content, "png"),
        "width": width,
        "height": height,
        "caption": caption,
        "alt": caption.partition(".")[0],
    }


def thumbnail(pixels: Pixels) -> str:
    """Returns pixels (S, S, 3) as the data URI of a JPEG."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=85)
    return _uri(content.getvalue(), "jpeg")


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def commands(source: str) -> str:
    """Returns what a person types to get the ladder again."""
    climb, options, ladder = "make repro", "", "this ladder"
    if source == "dogs_vs_cats":
        climb, options = "make book", " ARCHIVE=path.zip [RECIPE=name]"
        ladder += "; RECIPE where it is of a list in recipes/"
    purposes = {
        f"{climb}{options}": ladder,
        f"make reproduce-check{options}": "again in a clean copy, compared",
        f"make seeds N=5{options}": "with other seeds",
    }
    return "\n".join(f"{command:<56}# {purpose}" for command, purpose in purposes.items())


def runtimes(by_rung: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Returns a line for each kind of machine, with the rungs that were trained on it."""
    by_machine: dict[str, list[str]] = {}
    for rung, properties in by_rung.items():
        machine = ", ".join(f"{name} {value}" for name, value in properties.items())
        by_machine.setdefault(machine, []).append(rung)
    return [f"{', '.join(names)}: {machine}" for machine, names in by_machine.items()]
