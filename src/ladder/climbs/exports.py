"""What `ladder export` does: a folder with the network of a climb, checked on its test pictures."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from ladder import artifacts, cache, errors, paths, provenance
from ladder.climbs import experiments
from ladder.evidence import parity, prediction_tables, selection
from ladder.networks import deployed, digests, exported
from ladder.page import card, report
from ladder.pictures import originals

EXPORTS = Path("exports")
CARD, PARITY = "README.md", "parity.csv"
CLIMB, WEIGHTS = "climb.json", "weights.json"  # in a folder of reports
IN_EVERY_EXPORT = {CARD, exported.CLASS_NAMES, exported.PROGRAM, exported.DECODING}
IN_SOME = {PARITY, "__pycache__", *(form.file for form in exported.FORMATS.values())}
PART = 256  # test pictures that are copied at a time


@dataclass(frozen=True)
class Pictures:
    """The pictures of a climb, out of DVC's cache."""

    manifest: pd.DataFrame
    originals: originals.Originals

    @property
    def test(self) -> pd.DataFrame:
        return self.manifest[self.manifest["subset"] == "test"]


def run(name: str, format_name: str, rung: str | None, output: Path | None) -> int:
    """Writes the folder of an exported rung, by default the advised one; returns the exit status.

    That is 1 if the export gives other answers than the model. The folder is written all the same,
    and its card says so.

    Raises:
        InputError: there is no such format, model or rung, or no reports of it, or the folder holds
            something else; before TensorFlow starts.
    """
    form, files = exported.format_named(format_name), deployed.find(name, rung)
    target = output.resolve() if output else EXPORTS / files.name / format_name
    check_target(target)
    reports = reports_of(files)
    pictures, problem = None, ""
    try:
        pictures = pictures_of(files.name)
    except errors.InputError as error:
        problem = str(error)
    print(f"ladder: {files.name}, rung {files.rung}, goes to {target}. It takes a minute or more.")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # a GPU rounds float32, and serves one process
    with artifacts.whole(target) as folder:
        folder.mkdir()
        model = deployed.read(files, policy="float32")  # TensorFlow starts
        exported.write(model, form, folder)
        is_alike, said = True, [f"It was not compared with Ladder's own model. {problem}"]
        if pictures is not None:
            with closing(pictures.originals):
                is_alike, said = compare(model, folder, pictures, reports)
        manifest = pictures.manifest if pictures is not None else None
        description = artifacts.read_json(files.description)
        about = card.Export(
            files.rung,
            format_name,
            description["model"],
            description["runtime"],
            artifacts.read_json(paths.DatasetPaths(files.name).reports / CLIMB)["pictures"],
            said,
        )
        artifacts.write_text(folder / CARD, card.text(about, reports, manifest))
    print(*said, target / CARD, sep="\n")
    return 0 if is_alike else 1


def check_target(target: Path) -> None:
    """Checks that nothing but an earlier export is where the new one goes.

    Raises:
        InputError: there is.
    """
    if not target.exists():
        return
    names = {path.name for path in target.iterdir()} if target.is_dir() else {"a file"}
    foreign = sorted(names - IN_EVERY_EXPORT - IN_SOME)
    if foreign or (names and not names >= IN_EVERY_EXPORT):
        raise errors.InputError(
            str(target),
            expected="a new folder, or an export of before, which is replaced",
            received=", ".join((foreign or sorted(names))[:3]),
            advice="Choose another folder: --output FOLDER.",
        )


def reports_of(files: deployed.Files) -> report.Reports:
    """Returns the reports of the climb that a model is of.

    Raises:
        InputError: there are none, or they are of another climb, or the model is damaged.
    """
    folder = paths.DatasetPaths(files.name).reports
    reports = report.read(folder)
    try:
        digest = digests.weights(files.weights)
    except OSError as error:
        raise errors.InputError(
            str(files.weights),
            expected="whole weights",
            received=error,
            advice=f"Climb again: ladder climb {files.name}.",
        ) from error
    if digest != artifacts.read_json(folder / WEIGHTS)[files.rung]:
        raise errors.InputError(
            str(folder),
            expected=f"the reports of the climb that {files.weights} is of",
            received="those of another climb",
            advice=f"Climb again: ladder climb {files.name}.",
        )
    return reports


def pictures_of(name: str) -> Pictures:
    """Returns the pictures of a dataset's climb, out of DVC's cache.

    Raises:
        InputError: they are not all there.
    """
    files = paths.DatasetPaths(name)
    if not Path(".dvc").is_dir():
        raise _not_there(name, "no folder .dvc")
    lock, store = experiments.lock_of(files.reports), cache.folder()
    stored = {path: store / md5[:2] / md5[2:] for path, md5 in cache.outputs(lock, store)}
    there = {path: file for path, file in stored.items() if file.is_file()}
    if files.manifest not in there:
        raise _not_there(name, f"no {files.manifest}")
    manifest = artifacts.read_csv(there[files.manifest])
    if provenance.pictures(manifest) != artifacts.read_json(files.reports / CLIMB)["pictures"]:
        raise _not_there(name, "other pictures")
    pictures = Pictures(manifest, _originals(files, there))
    if missing := {*pictures.test["path"]} - {*pictures.originals.names}:
        raise _not_there(name, f"no {min(missing)}")
    return pictures


def _originals(files: paths.DatasetPaths, stored: Mapping[Path, Path]) -> originals.Originals:
    """Returns the pictures as `originals.opened` does, from where DVC stored the files."""
    if files.archive in stored:
        return originals.of_zip(stored[files.archive])
    folder = files.raw / paths.PICTURES
    inside = {path: file for path, file in stored.items() if path.is_relative_to(folder)}
    return originals.of_folder(
        {path.relative_to(folder).as_posix(): file for path, file in inside.items()}
    )


def _not_there(name: str, received: str) -> errors.InputError:
    return errors.InputError(
        f"the pictures of {name}",
        expected="the manifest and the test pictures of the climb in DVC's cache",
        received=received,
        advice=f"Climb again (ladder climb {name}), then export again.",
    )


def compare(
    model: deployed.Model, folder: Path, pictures: Pictures, reports: report.Reports
) -> tuple[bool, list[str]]:
    """Returns whether an export gives the answers of the model in float32, and sentences on it.

    Writes `parity.csv`, a row for each test picture.
    """
    ours, theirs = predict(model, folder, pictures)
    names = pictures.test["path"].tolist()
    compared = parity.table(names, model.class_names, ours, theirs)
    artifacts.write_csv(folder / PARITY, compared)
    test = selection.of_test(reports.predictions[model.rung])
    by_id = test.set_index("id").loc[pictures.test["id"]]
    results = prediction_tables.probabilities(by_id)
    policy = reports.runtimes[model.rung]["policy"]
    of_climb = parity.table(names, model.class_names, results, theirs)
    said = [parity.sentence(compared), parity.from_results(of_climb, policy)]
    if is_alike := parity.holds(compared):
        return is_alike, said
    return is_alike, ["These are other answers than Ladder's. Do not use this export.", *said]


def predict(
    model: deployed.Model, folder: Path, pictures: Pictures
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the probabilities (n, k) of the test pictures: the model's, and the export's.

    Both read the same files. The export runs in a process of its own.
    """
    ours, theirs = [], []
    bar = tqdm(total=2 * len(pictures.test), desc="compare", unit="prediction", disable=None)
    with bar, tempfile.TemporaryDirectory() as place:
        for start in range(0, len(pictures.test), PART):
            rows = pictures.test.iloc[start : start + PART]
            copies = [Path(place, str(number)) for number in range(len(rows))]
            for copy, name, sha256 in zip(copies, rows["path"], rows["sha256"], strict=True):
                copy.write_bytes(_checked(pictures.originals.read(name), name, sha256))
            theirs.append(exported.run(folder, copies, bar.update))
            for batch in deployed.read_ahead(copies, model.image_size, deployed.BATCH_SIZE):
                ours.append(model.predict_images(batch.images))
                bar.update(len(batch.rows))
    return np.concatenate(ours), np.concatenate(theirs)


def _checked(content: bytes, name: str, sha256: str) -> bytes:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise errors.InputError(
            name,
            expected=f"sha256 {sha256}, as in the manifest",
            received="other bytes in DVC's cache",
            advice="Run `ladder cache`, climb again, and export again.",
        )
    return content
