"""One self-contained page: the story of a ladder from its staircase to its mistakes."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from PIL import Image

from ladder import rungs
from ladder.page import corrected, examined, figures, report, rows, sentences
from ladder.pictures import manifests

Pixels = NDArray[np.uint8]
SHOWN = 10  # rows of a list that may be long
NAMED = 5  # classes in a title

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
    "filters": "What the base's filters respond to most: edges, then textures, then parts.",
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
class Suspect:
    """A picture whose label is suspected to be wrong, to be decided on."""

    picture: Picture
    path: str
    sha256: str
    class_name: str
    suggested: str  # another class name


@dataclass(frozen=True)
class Galleries:
    """The pictures that the page shows."""

    mistakes: Mapping[rungs.Rung, Sequence[Picture]]
    example: Sequence[Picture]
    everywhere: Sequence[Picture]  # wrong on every rung
    suspects: Sequence[Suspect]
    views: Sequence[Picture]
    relabelled: Sequence[Picture] = ()
    odd: Mapping[str, Sequence[Picture]] = field(default_factory=dict)  # of `examined.findings`


@dataclass(frozen=True)
class Content:
    """All that the page says and shows."""

    reports: report.Reports
    manifest: pd.DataFrame
    quarantine: pd.DataFrame
    examination: examined.Examination
    galleries: Galleries
    figures: Mapping[str, Path]  # those without a caption are not shown
    effects: pd.DataFrame  # of corrections: see `corrections.apply`

    @property
    def class_names(self) -> list[str]:
        return manifests.class_names(self.manifest)


def build(content: Content) -> str:
    """Returns the page as HTML: pictures inside, nothing from elsewhere.

    Names are escaped, whatever they hold. Where labels are suspected there is one script, which
    hands out `corrections.csv`; the page's policy lets no other run.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    reports, galleries = content.reports, content.galleries
    return environment.get_template("page.html").render(
        title=title(reports.source, reports.name, content.class_names),
        lead=lead(reports.ladder),
        counts_sentence=counts_sentence(content.manifest),
        sections=sections(content),
        has_book=len(reports.book) > 0,
        rungs=rows.ladder(reports.ladder, reports.paired, reports.predictions),
        book=rows.book(reports.book),
        advice=reports.advice,
        steps=sentences.steps(reports.paired),
        control=reports.control,
        baseline=rows.baseline(reports.baseline) if len(reports.baseline) else None,
        says_little=reports.says_little,
        figures={
            name: figure(name, path, content.class_names)
            for name, path in content.figures.items()
            if name in CAPTIONS
        },
        example=galleries.example,
        mistakes=list(galleries.mistakes.items()),
        everywhere=galleries.everywhere,
        commands=commands(reports.source, reports.name),
        runtimes=runtimes(reports.runtimes),
        params=yaml.safe_dump(dict(reports.identity.params), sort_keys=False),
        fingerprint=reports.identity.fingerprint,
        **classes(reports),
        **studies(content),
        **pictures(content),
        **corrections(content),
    )


def title(source: str, name: str, class_names: Sequence[str]) -> str:
    """Returns what the pictures are, in words: a person's own are called by the dataset's name."""
    if list(class_names) == ["cat", "dog"] and source in DATASETS:
        return DATASETS[source]
    *first, last = class_names
    several = f"{', '.join(first)} and {last}"
    if len(class_names) > NAMED:
        several = f"{len(class_names)} classes"
    return f"{name} ({several})" if source == "folder" else f"pictures of {several}"


def sections(content: Content) -> list[tuple[str, str]]:
    """Returns the page's sections in order: where a link goes, and what it says."""
    tables = content.reports.studies
    return [
        ("ladder", "The ladder"),
        *([("book", "Against the book")] if len(content.reports.book) else []),
        ("curves", "How they learned"),
        ("classes", "Class by class"),
        ("calibration", "Probabilities"),
        *((study["id"], study["title"]) for study in drawn_studies(content)),
        *([("bases", "Other bases")] if len(tables.bases) else []),
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


def classes(reports: report.Reports) -> dict[str, Any]:
    """Returns what the page says of the advised rung's classes; of a control nothing."""
    if reports.classes.empty or reports.control:
        return {"advised": "", "classes": [], "other_classes": []}
    of_advised = reports.classes[reports.classes["rung"] == reports.advised]
    shown, folded = rows.classes(of_advised)
    return {"advised": reports.advised, "classes": shown, "other_classes": folded}


def studies(content: Content) -> dict[str, Any]:
    """Returns what the page says of the studies of this climb."""
    tables = content.reports.studies
    return {
        "studies": drawn_studies(content),
        "seeds": rows.seeds(tables.seeds_summary),
        "seeds_steps": sentences.seeds_steps(tables.seeds_steps),
        "gains": sentences.gains(tables.learning_curve_gains),
        "bases": rows.bases(tables.bases),
        "of_bases": content.reports.of_bases,
        "recipes": rows.recipes(tables.recipes),
        "recipes_seeds": rows.recipes_seeds(tables.recipes_seeds),
        "left_out": tables.left_out,
    }


def pictures(content: Content) -> dict[str, Any]:
    """Returns what the page says of the pictures themselves."""
    reports, manifest, examination = content.reports, content.manifest, content.examination
    usable, reasons = examination.usable, examined.put_aside(content.quarantine)
    odd = examined.findings(examination.findings, len(usable))
    return {
        "counts": rows.counts(manifest),
        "of_classes": examined.classes(manifest),
        "kinds": examined.kinds(usable),
        "unused": examined.unused(usable, manifest, content.quarantine),
        "reasons": reasons[: examined.REASONS],
        "other_reasons": len(reasons) - examined.REASONS,
        "quarantine_sentence": _counted(len(content.quarantine), "picture", "put aside"),
        "odd": [(each, content.galleries.odd.get(each.key, [])) for each in odd],
        "telling": examined.telling(examination.by_class),
        "groups": examined.groups(manifest, reports.source),
        "duplicates": reports.duplicates.head(SHOWN).to_dict("records"),
        "duplicates_sentence": _listed(
            len(reports.duplicates), "pair of pictures", "nearly the same, in two subsets"
        ),
        "without_duplicates": without_duplicates(reports.ladder) if len(reports.duplicates) else "",
        "suspects": content.galleries.suspects,
        "class_names": content.class_names,
        "planted": reports.planted.to_dict("records"),
        "views": content.galleries.views,
    }


def corrections(content: Content) -> dict[str, Any]:
    """Returns what the page says of suspected labels, and of those that were corrected."""
    reports, shown = content.reports, len(content.galleries.suspects)
    said = _counted(len(reports.suspects), "label", "suspected to be wrong")
    script, policy = corrected.script() if shown else ("", "'none'")
    known = content.manifest.loc[content.manifest["id"].isin(reports.suspects["id"]), "path"]
    if number := int(known.isin(corrected.decided(content.effects)).sum()):
        said += f" Of {number:,} you have decided already."
    accuracies = corrected.before(reports.predictions, content.manifest, content.effects)
    return {
        "corrected": corrected.summary(content.effects),
        "corrected_accuracy": corrected.sentence(accuracies),
        "dropped": corrected.dropped(content.effects)[:SHOWN],
        "suspects_sentence": said,
        "relabelled": content.galleries.relabelled,
        "correct_command": f"ladder climb {reports.name} --corrections ~/Downloads/corrections.csv",
        "script": script,
        "script_policy": policy,
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


def without_duplicates(ladder: pd.DataFrame) -> str:
    """Returns the sentence on test accuracy without the pictures that stand in two subsets."""
    accuracies = ladder.set_index("rung")["test_accuracy_without_duplicates"].dropna()
    if accuracies.empty:
        return "All test pictures are concerned: there is no test accuracy without them."
    each = ", ".join(f"{rung} {100 * accuracy:.1f}" for rung, accuracy in accuracies.items())
    return f"Test accuracy without the pictures concerned, in per cent: {each}."


def figure(name: str, path: Path, class_names: Sequence[str]) -> dict[str, Any]:
    """Returns a figure's PNG as a data URI, with its size, caption and alternative text.

    Where a figure cuts the class names, both texts have the whole ones.
    """
    caption = CAPTIONS[name]
    names = figures.names_in_confusions(class_names) if name == "confusion" else ""
    if name in {"roc", "precision_recall"} and len(class_names) > figures.MOST_CURVES:
        caption += " The mean over the classes, each against the rest."
    return {
        **image(path),
        "caption": f"{caption} {names}".rstrip(),
        "alt": f"{caption.partition('.')[0]}{'. ' if names else ''}{names}",
    }


def image(path: Path) -> dict[str, Any]:
    """Returns a PNG as a data URI, with its width and height in pixels."""
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    return {"source": _uri(content, "png"), "width": width, "height": height}


def thumbnail(pixels: Pixels) -> str:
    """Returns pixels (S, S, 3) as the data URI of a JPEG."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=85)
    return _uri(content.getvalue(), "jpeg")


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def commands(source: str, name: str) -> str:
    """Returns what a person types to get the ladder again."""
    if source == "folder":
        return _lines(
            {
                f"ladder climb {name}": "this ladder, or what has changed of it",
                f"ladder report {name}": "this page",
                f"ladder predict PATH… --ladder {name}": "the labels of other pictures",
            }
        )
    climb, options, ladder = "make repro", "", "this ladder"
    if source == "dogs_vs_cats":
        climb, options = "make book", " ARCHIVE=path.zip [RECIPE=name]"
        ladder += "; RECIPE where it is of a list in recipes/"
    return _lines(
        {
            f"{climb}{options}": ladder,
            f"make reproduce-check{options}": "again in a clean copy, compared",
            f"make seeds N=5{options}": "with other seeds",
        }
    )


def _lines(purposes: Mapping[str, str]) -> str:
    return "\n".join(f"{command:<56}# {purpose}" for command, purpose in purposes.items())


def runtimes(by_rung: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Returns a line for each kind of machine, with the rungs that were trained on it."""
    by_machine: dict[str, list[str]] = {}
    for rung, properties in by_rung.items():
        machine = ", ".join(f"{name} {value}" for name, value in properties.items())
        by_machine.setdefault(machine, []).append(rung)
    return [f"{', '.join(names)}: {machine}" for machine, names in by_machine.items()]
