"""Where every file lies, relative to the project's root; dvc.yaml names the same paths."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ladder import rungs, settings

Subset = Literal["train", "validation", "test"]
SUBSETS: Final[tuple[Subset, ...]] = ("train", "validation", "test")

Inputs = Literal["images", "features", "activations"]  # what a model, or its end, can be fed


def root() -> Path:
    """Returns the project's root: DVC names it also inside the copies that experiments run in."""
    return Path(os.environ.get("DVC_ROOT", ".")).resolve()


MODELS = Path("models")  # a folder for each dataset: its advised rung
ARCHIVE = "images.zip"  # in a dataset's raw folder, where its pictures are in a zip archive
PICTURES = "pictures"  # or else the folder that they are in
LOCK = Path("dvc.lock")
LOCK_OF_CLIMB = Path("climb.lock")  # in the reports of a climb in a copy: its dvc.lock
# What an interrupted stage resumes from: git-ignored, no output, and not in an experiment's copy.
PARTIAL = root() / "data/.partial"


def base_weights(base: settings.BuiltBase) -> Path:
    """Returns where the base's weights lie, shared by all datasets."""
    return Path("data/weights") / f"{base.name}-{base.weights}.weights.h5"


def metrics(rung: rungs.Rung) -> Path:
    """Returns where a rung's headline figures lie: a file a rung, which DVC shows as a row."""
    return Path("reports/metrics") / f"{rungs.RUNGS.index(rung) + 1}_{rung}.json"


@dataclass(frozen=True)
class DatasetPaths:
    """The files of one dataset, by its name."""

    name: str

    @property
    def root(self) -> Path:
        return Path("data") / self.name

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def archive(self) -> Path:
        return self.raw / ARCHIVE

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.csv"

    @property
    def corrections(self) -> Path:
        """A person's, in the workspace; copies that experiments run in read it there, too."""
        return root() / "corrections" / f"{self.name}.csv"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine.csv"

    def examination(
        self, table: Literal["pictures", "findings", "by_class", "corrections"]
    ) -> Path:
        return self.root / "examination" / f"{table}.csv"

    @property
    def duplicates(self) -> Path:
        return self.root / "audit/duplicates.csv"

    @property
    def suspects(self) -> Path:
        return self.root / "audit/suspects.csv"

    @property
    def planted(self) -> Path:
        return self.root / "audit/planted.csv"

    def images(self, subset: Subset) -> Path:
        return self.inputs("images", subset)

    def base_images(self, subset: Subset) -> Path:
        """The pictures as the base takes them: of its own size, where it has one."""
        own = self.own_base_images / f"{subset}.npy"
        return own if own.is_file() else self.images(subset)

    @property
    def own_base_images(self) -> Path:
        """The folder of the pictures of `base.image_size`; there is none if that is null."""
        return self.root / "images/base"

    def features(self, subset: Subset) -> Path:
        return self.inputs("features", subset)

    def activations(self, subset: Subset) -> Path:
        return self.inputs("activations", subset)

    def inputs(self, kind: Inputs, subset: Subset) -> Path:
        return self.root / kind / f"{subset}.npy"

    def views(self, kind: Inputs) -> Path:
        return self.root / "views" / kind

    def seconds(self, stage: str) -> Path:
        return self.root / "seconds" / f"{stage}.json"

    def weights(self, rung: rungs.Rung) -> Path:
        return self.root / "models" / f"{rung}.weights.h5"

    def description(self, rung: rungs.Rung) -> Path:
        return self.root / "models" / f"{rung}.json"

    def history(self, rung: rungs.Rung) -> Path:
        return self.root / "models" / f"{rung}.history.csv"

    def predictions(self, rung: rungs.Rung) -> Path:
        return self.root / "predictions" / f"{rung}.csv"

    def interpretation(self, name: rungs.Rung | Literal["base"]) -> Path:
        return self.root / "interpretation" / f"{name}.npz"

    @property
    def reports(self) -> Path:
        return Path("reports") / self.name

    @property
    def model(self) -> Path:
        return MODELS / self.name


def view(folder: Path, number: int) -> Path:
    """Returns the file of one augmented view."""
    return folder / f"view-{number:02d}.npy"
