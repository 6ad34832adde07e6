"""Imports go one way, and each heavy library has one door."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import graph

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src/ladder").rglob("[a-z]*.py"))
STAGES = sorted([*(ROOT / "stages").glob("*.py"), *(ROOT / "chapter/stages").glob("*.py")])
PACKAGES = ("climbs", "claims", "page", "experiments", "evidence", "networks", "pictures")
PLUMBING = len(PACKAGES)
TOP = "cli"  # the face over all packages


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def module(path: Path) -> str:
    """Returns the name of a file as modules import it: `page.grids`."""
    parts = path.relative_to(ROOT / "src/ladder").with_suffix("").parts
    return ".".join(parts)


def depth(name: str) -> int:
    """Returns how far down a module stands: -1 for the top, 0 for `climbs`, most for plumbing."""
    package, dot, _ = name.partition(".")
    if dot:
        return PACKAGES.index(package)
    return -1 if name == TOP else PLUMBING


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what stands under `if TYPE_CHECKING`."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)


def libraries(path: Path) -> set[str]:
    """Returns what a file imports when it runs, not what it names for the types alone."""
    nodes = list(ast.walk(WithoutTypes().visit(ast.parse(path.read_text()))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {
        name.split(".")[0]
        for name in plain | {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}
    }


def test_every_folder_of_modules_is_a_package_with_a_place() -> None:
    assert {path.parent.name for path in SOURCES} == {"ladder", *PACKAGES}


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_a_module_imports_from_its_own_package_and_those_further_down(path: Path) -> None:
    wrong = {name for name in graph.imported(path) if depth(name) < depth(module(path))}
    assert wrong == set()


def test_no_modules_import_one_another_in_a_circle() -> None:
    TopologicalSorter({module(path): graph.imported(path) for path in SOURCES}).prepare()


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_a_stage_imports_no_climbs(path: Path) -> None:
    """Stages are what a climb runs: none knows of many climbs."""
    assert not {name for name in graph.reached(path) if name.startswith("climbs.")}


def test_the_command_imports_packages_inside_its_commands_alone() -> None:
    """So that `ladder --help` waits for none of their libraries."""
    top = graph.imported(graph.SOURCE / f"{TOP}.py", at_the_top=True)
    assert {name for name in top if "." in name} == set()


@pytest.mark.parametrize("path", [*SOURCES, *STAGES], ids=lambda path: path.stem)
def test_ladders_modules_are_imported_by_name_from_their_packages(path: Path) -> None:
    """The one form that `graph.imported` reads: no `import ladder.x`, nothing relative, no `*`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.startswith("ladder")]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert "*" not in {alias.name for alias in node.names}


@pytest.mark.parametrize(
    ("library", "doors"),
    [
        ("tensorflow", {"networks.runtime", "networks.standalone"}),  # exports run the second
        ("onnxruntime", {"networks.standalone"}),
        ("ai_edge_litert", {"networks.standalone"}),
        ("keras", {"networks.runtime"}),
        ("h5py", {"networks.digests"}),
        ("tf_keras_vis", {"evidence.interpretation"}),
        ("imagehash", {"pictures.similarity"}),
        ("cleanlab", {"evidence.suspects"}),
        ("skimage", {"page.operations"}),
        ("jinja2", {"page.page", "claims.chapter_page"}),
        ("cv2", {"pictures.augmentation", "pictures.colours"}),  # it turns; it reads 16 bits
        ("simplejpeg", {"pictures.damage"}),
        ("pillow_heif", {"pictures.reading"}),
        ("streamlit", {"page.demo_app"}),
        ("mlflow", {"tracking", "page.served"}),  # MLflow itself runs the second
    ],
)
def test_a_heavy_library_has_one_door_for_each_thing_that_it_does(
    library: str, doors: set[str]
) -> None:
    assert {module(path) for path in SOURCES if library in libraries(path)} == doors
    assert not [path.stem for path in STAGES if library in libraries(path)]


def test_figures_are_drawn_in_the_page_alone() -> None:
    drawing = {module(path) for path in SOURCES if "matplotlib" in libraries(path)}
    assert {name.partition(".")[0] for name in drawing} == {"page", "claims"}


@pytest.mark.parametrize(
    "stage", ["download", "split", "decode", "audit", "evaluate", "choose", "render"]
)
def test_a_stage_of_pictures_or_statistics_starts_without_tensorflow(stage: str) -> None:
    script = ROOT / f"stages/{stage}.py"
    code = (
        f"import runpy, sys; runpy.run_path({str(script)!r}); sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
