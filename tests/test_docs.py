"""README.md and docs/ say what is so: links, targets, commands and keys; and say it plainly."""

import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from ladder import base_names, cli

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS, ROOT / "CONTRIBUTING.md"]
ALL = [*PAGES, ROOT / "CHANGELOG.md"]

LINES = 150  # of README.md
LANGUAGES = {"sh", "python", "yaml", "text", "mermaid"}
MEAN_WORDS, MOST_WORDS = 18, 40  # of a sentence

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!-- (not run|run in): (\S[^\n]*) -->\n\Z")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the comment before it, if there is one."""

    page: str
    line: int
    language: str
    text: str
    mark: str  # "not run", "run in", or nothing
    note: str  # the reason, or where it is run

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in FENCE.finditer(text):
        before = text[: found.start()]
        comment = COMMENT.search(before)
        mark, note = comment.groups() if comment else ("", "")
        line = before.count("\n") + 1
        yield Block(page.name, line, found[1], found[2], mark, note)


def fenced_out(page: Path) -> str:
    """Returns a page's text without its blocks, fenced and indented, and its comments."""
    text = FENCE.sub("", page.read_text())
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r"^(    .*\n)+", "", text, flags=re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Returns the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", LINK.sub("", title).lower()) for title in titles)
    return {text.strip().replace(" ", "-") for text in words}


def sentences(page: Path) -> list[str]:
    """Returns the sentences of a page's prose; headings, tables and blocks are none."""
    lines: list[str] = []
    for line in fenced_out(page).splitlines():
        if re.match(r"#|\||\[.*\]: |\s*$", line):
            lines.append("")
        elif item := re.match(r"\s*(?:[-*]|\d+\.) (.*)", line):
            lines += ["", item[1]]
        else:
            lines.append(line)
    prose = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", "\n".join(lines))
    prose = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", prose)
    prose = CODE.sub("code", prose).replace("*", "")
    parts = (re.split(r"(?<=[.?!])\)?\s+(?=[A-Z0-9c(])", p) for p in re.split(r"\n\s*\n", prose))
    return [part for paragraph in parts for part in paragraph if re.search(r"[A-Za-z]", part)]


def words(sentence: str) -> int:
    return len([word for word in sentence.split() if re.search(r"\w", word)])


MADE = {"recipes/photos.txt", "recipes/fabrics.txt"}  # by the reader's climbs


EVERY_BLOCK = [block for page in PAGES for block in blocks(page)]
RUN = [block for block in EVERY_BLOCK if block.language == "sh" and not block.mark]
PLACES = ("a small project", "a clone of a small project")
TOUR = ("the tour", "the tour, where it fails", "params.yaml of the tour")  # see test_tour.py
RUN_ON_A_TOY = [block for block in EVERY_BLOCK if block.note in PLACES]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(target)
    assert lost == []


def test_readme_leads_to_every_page() -> None:
    targets = {
        target.partition("#")[0] for target in LINK.findall((ROOT / "README.md").read_text())
    }
    assert {f"docs/{page.name}" for page in DOCS} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`((?:src|stages|tests|docs|recipes)/[\w./]*)`", fenced_out(page))
    assert [path for path in named if not (ROOT / path).exists() and path not in MADE] == []


def test_the_map_of_development_names_every_module() -> None:
    text = (ROOT / "docs/development.md").read_text()
    rows = re.findall(r"^\| `(src/ladder/\w*/?)` \| (.*) \|$", text, re.MULTILINE)
    assert len(rows) == 6
    for package, told in rows:
        modules = re.findall(r"`(\w+)`", told)
        files = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
        assert {*modules} == files, package


def test_every_block_has_a_language_and_commands_that_are_not_run_have_a_reason() -> None:
    assert {block.language for block in EVERY_BLOCK} <= LANGUAGES
    code = [block for block in EVERY_BLOCK if block.language in {"python", "yaml"}]
    assert [str(block) for block in code if not block.mark] == []
    places = {block.note for block in EVERY_BLOCK if block.mark == "run in"}
    assert places <= {*PLACES, *TOUR}
    assert {b.page for b in EVERY_BLOCK if b.note in TOUR} == {"own-pictures.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_stand_in_fenced_blocks_alone(page: Path) -> None:
    indented = re.findall(r"^ {4,}(\S+)", FENCE.sub("", page.read_text()), re.MULTILINE)
    assert {"make", "dvc", "git", "python", "python3", "pip", "cd"} & {*indented} == set()


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_make_targets_and_their_variables_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {*re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)}
    text = page.read_text()
    commands = re.findall(r"(?:`|^)make((?: +[\w-]+(?:=(?:\"[^\"]*\"|[^\s`]+))?)*)", text, re.M)
    named = " ".join(commands)
    assert {*re.findall(r"(?:^| )([a-z][\w-]*)(?= |$)", named)} <= targets
    used = {*re.findall(r"\$[({](\w+)", makefile), "PORT"}  # PORT: ladder.tracking reads it
    assert {*re.findall(r"\b([A-Z]+)=", named)} <= used
    recipes = {*re.findall(r"\bRECIPE=(\w+)", text)} - {"name"}
    assert recipes <= {path.stem for path in (ROOT / "recipes").glob("*.txt")}


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_commands_of_ladder_and_their_options_exist(page: Path) -> None:
    commands: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    text = re.sub(r" +#.*", "", page.read_text())
    named = re.findall(r"(?:`|^|: )ladder (?!--help)([a-z][\w-]*)\b([^`\n]*)", text, re.MULTILINE)
    for name, rest in named:
        assert name in commands
        options = {option for each in commands[name].params for option in each.opts}
        assert {*re.findall(r"(?<!\S)--?[A-Za-z][\w-]*", rest)} <= options | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_stages_that_commands_name_exist(page: Path) -> None:
    stages = {*yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]}
    chapter = yaml.safe_load((ROOT / "chapter/dvc.yaml").read_text())["stages"]
    stages |= {f"chapter/dvc.yaml:{name}" for name in chapter}
    named = re.findall(r"(?:`|^)dvc repro ([a-z_/.:]+)", page.read_text(), re.MULTILINE)
    assert [name for name in named if name not in stages] == []


def test_every_stage_is_explained() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    rows = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs/dvc.md").read_text(), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == {*stages}


def leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_every_base_is_listed_with_its_weights_size_and_cut() -> None:
    text = (ROOT / "docs/parameters.md").read_text()
    rows = re.findall(r"^\| (\w+) \| ([\w, ]+) \| (\d+) \| (\w+) \|$", text, re.MULTILINE)
    assert [name for name, *_ in rows] == [*base_names.BASES]
    for name, weights, size, cut in rows:
        names = base_names.BASES[name]
        assert tuple(weights.split(", ")) == names.weights[:-1]
        assert int(size) == names.smallest_size
        assert cut in names.layers[:-1]


def test_every_parameter_is_explained() -> None:
    text = (ROOT / "docs/parameters.md").read_text()
    keys = {*re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE)}
    sections = {"train_scratch", "train_scratch_augmented", "train_head", "train_end_to_end"}
    sections |= {"fine_tune"}
    assert all(f"`{section}`" in text for section in sections)
    wanted = set()
    for leaf in leaves(yaml.safe_load((ROOT / "params.yaml").read_text())):
        section, _, key = leaf.partition(".")
        wanted.add(key if section in sections else leaf)
    assert wanted - keys == set()


def test_every_recipe_is_explained() -> None:
    text = (ROOT / "docs/reproduction.md").read_text()
    files = (ROOT / "recipes").glob("*.txt")
    recipes = {file.stem for file in files if "source=folder" not in file.read_text()}
    assert [name for name in recipes if f"`{name}`" not in text] == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_are_short(page: Path) -> None:
    counts = {sentence: words(sentence) for sentence in sentences(page)}
    assert {s: count for s, count in counts.items() if count > MOST_WORDS} == {}
    assert statistics.mean(counts.values()) <= MEAN_WORDS


def test_the_citation_is_valid_and_of_this_version() -> None:
    command = ["check-jsonschema", "--quiet", "--builtin-schema", "vendor.citation-file-format"]
    file = ROOT / "CITATION.cff"
    subprocess.run([*command, str(file)], env=environment(), check=True)
    version = yaml.safe_load(file.read_text())["version"]
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def environment() -> dict[str, str]:
    """Returns an environment with this Python's programs first, and an author for git."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    author = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "test"), ("EMAIL", "test@localhost"))
    }
    return {**os.environ, **author, "PATH": path, "DVC_NO_ANALYTICS": "true"}


def run(script: str, folder: Path, **variables: str) -> str:
    """Runs a block as a reader would, and returns what it prints; the first failure ends it."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**environment(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_project(copy: Path) -> None:
    """Copies the project's files, without data, and commits them there."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    run("git init --quiet && git add --all && git commit --quiet --message copy", copy)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's files, committed; without data."""
    copy = tmp_path_factory.mktemp("docs") / "ladder"
    copy_project(copy)
    return copy


def test_there_are_blocks_of_either_kind() -> None:
    assert RUN
    assert RUN_ON_A_TOY


@pytest.mark.parametrize("block", RUN, ids=str)
def test_commands_of_the_docs_run_and_leave_the_project_as_it_is(
    block: Block, project: Path
) -> None:
    run(block.text, project, PYTHONPATH=str(project / "src"))
    assert run("git status --porcelain", project) == ""


TOY = """
stages:
  numbers:
    cmd: seq ${count} > data/numbers.txt
    params: [count]
    outs: [data/numbers.txt]
  sum:
    cmd: wc -l < data/numbers.txt > sum.txt
    deps: [data/numbers.txt]
    outs:
      - sum.txt: {cache: false}
"""


def test_a_team_shares_what_was_climbed_through_a_remote(tmp_path: Path) -> None:
    toy, clone = tmp_path / "toy", tmp_path / "clone"
    (toy / "data").mkdir(parents=True)
    (toy / "dvc.yaml").write_text(TOY)
    (toy / "params.yaml").write_text("count: 5\n")
    run("git init -q && dvc init -q && dvc repro -q && git add . && git commit -qm toy", toy)
    assert [block.note for block in RUN_ON_A_TOY] == [PLACES[0], PLACES[0], PLACES[1]]
    share, prove, join = (block.text for block in RUN_ON_A_TOY)
    run(share, toy)
    run("git clone --quiet toy clone", tmp_path)
    for text, folder in ((prove, toy), (join, clone)):
        assert not (clone / "data/numbers.txt").exists()
        printed = run(text, folder)
        assert "Running stage" not in printed
        assert printed.endswith("Data and pipelines are up to date.\n")
        assert (folder / "data/numbers.txt").read_text().split() == list("12345")


@pytest.mark.parametrize(
    ("command", "language"),
    [
        ("dvc metrics show", "text"),
        ("dvc dag --collapse-foreach-matrix --mermaid dvc.yaml", "mermaid"),
    ],
)
def test_what_a_command_is_said_to_print_is_what_it_prints(
    command: str, language: str, project: Path
) -> None:
    (shown,) = re.findall(
        rf"```{language}\n(.*?)```", (ROOT / "docs/dvc.md").read_text(), re.DOTALL
    )
    printed = run(command, project)
    lines = [[line.rstrip() for line in text.strip().splitlines()] for text in (shown, printed)]
    assert lines[0] == lines[1]
