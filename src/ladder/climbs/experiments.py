"""DVC experiments in copies of the project, and what they leave in git and in DVC's cache.

The workspace's own params.yaml, dvc.lock and data stay as they are.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock
import pandas as pd
import psutil
from ruamel.yaml import YAML

from ladder import artifacts, errors, paths, processes
from ladder.climbs import recipes

CODE = ("dvc.yaml", "stages", "src")
DVC = [sys.executable, "-m", "ladder.climbs.dvc_command"]
COPIES = Path(".dvc/tmp/exps/standalone")  # where DVC makes the copies that climbs run in
STASH = "refs/exps/stash"  # where DVC puts an experiment until its copy is made
LOCKS = (Path(".dvc/tmp/rwlock"), Path(".dvc/tmp/exps/rwlock"))  # DVC's lists of files in use


def climb(name: str, overrides: Sequence[str], targets: Sequence[str] = ()) -> str:
    """Climbs in a copy, as a DVC experiment of this name, and returns its commit.

    An experiment of that name is replaced; what was climbed before comes from the run cache. Of two
    overrides of a key the later one counts.

    Raises:
        InputError: DVC cannot make experiments here.
    """
    check_place()
    remove_leftovers()
    name = name.replace("_", "-")
    reference = f"refs/exps/*/*/{name}"
    if _git("for-each-ref", reference):
        _dvc("exp", "remove", "--quiet", name)
    last = {override.partition("=")[0]: override for override in overrides}
    changes = (f"--set-param={_quoted(override)}" for override in last.values())
    studies = [] if targets else _studies(last)
    try:
        _dvc("exp", "run", "--temp", "--name", name, *changes, *studies, *targets)
    except KeyboardInterrupt:
        remove_leftovers()
        message = "stopped. Run the same command again: stages that have ended are not repeated."
        print(f"\nladder: {message}", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    return _git("for-each-ref", "--format=%(objectname)", reference).decode().strip()


def _studies(overrides: Mapping[str, str]) -> list[str]:
    """Returns the arguments of DVC that bring a dataset's studies into the copy, for its page.

    Those that git holds are there already.
    """
    line = overrides.get("dataset.name", "")
    folder = paths.DatasetPaths(line.partition("=")[2]).reports / "studies"
    if not line or not folder.is_dir() or _git("ls-files", folder.as_posix()):
        return []
    return ["--copy-paths", folder.as_posix()]


def remove_leftovers() -> None:
    """Removes what climbs left behind that were killed, and that would be in the way of others.

    These are copies in which no process works, an experiment without a copy, and half-written
    lists. Nothing is removed while a DVC is making a copy: it does not work in it yet.
    """
    project, places = Path.cwd(), []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        if place := process.info["cwd"]:  # that of another person's process is not known
            places.append(Path(place))
            if places[-1] == project and "exp" in (process.info["cmdline"] or ()):
                return
    for copy in (project / COPIES).glob("tmp*"):
        if not any(place.is_relative_to(copy) for place in places):
            shutil.rmtree(copy, ignore_errors=True)
    _git("update-ref", "-d", STASH)  # DVC would climb it as well
    for lock in filter(Path.is_file, LOCKS):
        with filelock.FileLock(lock.with_name("rwlock.lock")), lock.open("r+") as file:  # as DVC
            if not file.read():
                file.write("{}")


def _quoted(override: str) -> str:
    """Returns an override as Hydra's grammar, which DVC reads, wants it: texts in quotes."""
    key, _, text = override.partition("=")
    value = recipes.value_of(key, text)
    if not isinstance(value, str):
        return override
    doubled = re.sub(r"\\+(?='|$)", lambda match: 2 * match[0], value)  # those before a quote
    quoted = doubled.replace("'", r"\'")
    return f"{key}='{quoted}'"


def check_repository() -> bool:
    """Checks that the project is a git repository and returns whether it is a shallow one.

    Raises:
        InputError: it is none.
    """
    answer = subprocess.run(
        ["git", "rev-parse", "--is-shallow-repository"], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise errors.InputError(
            str(Path.cwd().name),
            expected="a git repository",
            received=answer.stderr.strip() or "none",
            advice="Make it one: git init && git add . && git commit -m start; and, after `make "
            "repro` without git, dvc config --local --unset core.no_scm.",
        )
    return answer.stdout.strip() == "true"


def check_place() -> None:
    """Checks that this is the project's folder, and that DVC can make experiments of it here.

    Raises:
        InputError: it is no git repository, a shallow one, or its path is not ASCII.
    """
    if not Path("dvc.yaml").is_file():
        raise errors.InputError(
            str(Path.cwd()),
            expected="the project's folder",
            received="no dvc.yaml",
            advice="Go into the folder of the project, and run this again.",
        )
    problem = ""
    if check_repository():  # DVC would climb and lose the results
        problem, advice = "a shallow clone", "Fetch the rest: git fetch --unshallow."
    elif not str(Path.cwd()).isascii():  # DVC 3.67 encodes the path of an experiment as ASCII
        problem, advice = str(Path.cwd()), "Move the project to a path without accents."
    if problem:
        raise errors.InputError(
            "climbs in a copy of the project",
            expected="a whole git repository at a path of ASCII letters, for DVC's experiments",
            received=problem,
            advice=f"{advice} `make repro` climbs the ladder of params.yaml here as it is.",
        )


def check_code_committed() -> None:
    """Checks that the code is as committed: the fingerprint, which CI checks, speaks of no other.

    Raises:
        InputError: it is not.
    """
    check_repository()
    if changed := uncommitted(Path(), CODE):
        raise errors.InputError(
            "study",
            expected="code as committed",
            received=", ".join(changed),
            advice="Commit the changes first, or take them back.",
        )


def uncommitted(project: Path, places: Sequence[str]) -> list[str]:
    """Returns the files in some places of a project that are not as committed."""
    command = ["git", "status", "--porcelain", "--", *places]
    done = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    return [line[3:] for line in done.stdout.splitlines()]


def take(commit: str, source: str, target: Path) -> None:
    """Copies the reports of a climb's commit, and its dvc.lock as climb.lock, into `target`.

    After an error `target` is as it was.
    """
    reports = paths.DatasetPaths(source).reports
    lock = show(commit, paths.LOCK)
    stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    outputs = [Path(out["path"]) for name in ("evaluate", "render") for out in stages[name]["outs"]]
    names = [path.relative_to(reports) for path in outputs if path.is_relative_to(reports)]
    packed = _git("archive", f"{commit}:{reports.as_posix()}", *(n.as_posix() for n in names))
    target.mkdir(parents=True, exist_ok=True)
    with artifacts.temporary(target) as folder:
        new, old = folder / "new", folder / "old"
        with tarfile.open(fileobj=io.BytesIO(packed)) as files:
            files.extractall(new, filter="data")
        (new / paths.LOCK_OF_CLIMB).write_bytes(lock)
        _replace([*names, paths.LOCK_OF_CLIMB], new, target, old)


def _replace(names: Sequence[Path], new: Path, target: Path, old: Path) -> None:
    """Moves what is named from `new` to `target`; what was there goes to `old`, or back again."""
    moved: list[Path] = []
    try:
        for name in names:
            moved.append(name)
            if (target / name).exists():
                (old / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(target / name, old / name)
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(new / name, target / name)
    except BaseException:
        for name in moved:
            if not (new / name).exists():  # it is in `target`
                if (target / name).is_dir():
                    shutil.rmtree(target / name)
                else:
                    (target / name).unlink(missing_ok=True)
            if (old / name).exists():
                os.replace(old / name, target / name)
        raise


def fetch(commit: str, path: Path, target: Path) -> None:
    """Copies an output of a climb, which git does not hold, out of DVC's cache.

    It takes the place of a file or folder that is at `target`; after an error that is as it was.
    """
    with artifacts.whole(target) as new:  # into a folder that is there DVC would put another
        _dvc("get", "--quiet", "--force", ".", str(path), "--rev", commit, "--out", str(new))


def fetched(commit: str, path: Path) -> str:
    """Returns a text file of a climb from DVC's cache."""
    with _copy_of(commit, path) as file:
        return file.read_text(encoding="utf-8")


def sha256(commit: str, path: Path) -> str:
    """Returns the hash of a file of a climb in DVC's cache."""
    with _copy_of(commit, path) as file:
        return artifacts.sha256(file)


@contextmanager
def _copy_of(commit: str, path: Path) -> Iterator[Path]:
    """Yields a copy of a file of a climb from DVC's cache; it does not stay."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.name
        fetch(commit, path, target)
        yield target


def read_frame(commit: str, path: Path) -> pd.DataFrame:
    """Returns a table of a climb from DVC's cache."""
    return artifacts.read_csv(io.StringIO(fetched(commit, path)))


def size(commit: str, path: Path) -> int:
    """Returns the bytes of an output of a climb, as its dvc.lock says."""
    stages = YAML(typ="safe", pure=True).load(show(commit, paths.LOCK))["stages"]
    outputs = {out["path"]: out for stage in stages.values() for out in stage["outs"]}
    number: int = outputs[path.as_posix()]["size"]
    return number


def show(commit: str, path: Path) -> bytes:
    """Returns a file that git holds, as a climb left it."""
    return _git("show", f"{commit}:{path.as_posix()}")


def lock_of(reports: Path) -> Path:
    """Returns the lock of the climb whose reports these are: its own, or the workspace's.

    Raises:
        InputError: there is none: the workspace's lock is of another dataset.
    """
    own = reports / paths.LOCK_OF_CLIMB
    if own.is_file():
        return own
    stages = YAML(typ="safe", pure=True).load(paths.LOCK)["stages"] if paths.LOCK.is_file() else {}
    outputs = stages.get("evaluate", {}).get("outs", [])
    if not any(Path(out["path"]).parent == reports for out in outputs):
        raise errors.InputError(
            str(reports),
            expected=f"{paths.LOCK_OF_CLIMB}, or a {paths.LOCK} of this dataset",
            received="neither",
            advice="Take it back from git, or climb on this dataset again.",
        )
    return paths.LOCK


def environment_of_copy() -> dict[str, str]:
    """Returns an environment to run DVC in, in a copy: this Python, the copy's own code and store.

    Whatever happens to the workspace meanwhile; nothing that the user set for DVC or MLflow.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    return kept | environment_of_python()


def environment_of_python() -> dict[str, str]:
    """Returns the variables by which stages run this Python, and the code of their own folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "PYTHONPATH": "src"}


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], check=True, stdout=subprocess.PIPE).stdout


def _dvc(*arguments: str) -> None:
    # DVC commits experiments, and git may not know yet who works here.
    environment = {**os.environ, **environment_of_python()}
    if subprocess.run(["git", "config", "user.email"], stdout=subprocess.DEVNULL).returncode:
        for role in ("AUTHOR", "COMMITTER"):
            environment[f"GIT_{role}_NAME"] = "ladder"
            environment[f"GIT_{role}_EMAIL"] = "ladder@localhost"
    if status := processes.run([*DVC, *arguments], Path(), environment):
        sys.exit(status)
