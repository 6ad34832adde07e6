"""Imports go one way, and each heavy library has one door."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import graph

SOURCES = sorted(Path(__file__).parent.parent.glob("src/ladder/[a-z]*.py"))

# Each module imports from its own row or from one further down.
LAYERS = [
    {"seeds", "learning_curve", "reproduction", "gallery"},
    {"rungs", "climbs", "page"},
    {"evidence"},
    {"comparison", "calibration", "studies", "report"},
    {"training", "activations", "evaluation", "interpretation", "selection", "tracking"},
    {"models", "weights", "images", "figures", "grids", "planted"},
    {"bases", "augmentation", "audit", "duplicates", "suspects", "split", "sources", "operations"},
    {"cifar10", "archives", "drawing", "runtime", "provenance"},
    {"artifacts", "paths", "digests"},
    {"settings"},
    {"errors", "processes"},
]
HEIGHT = {module: height for height, row in enumerate(LAYERS) for module in row}


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


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_imports_go_one_way(path: Path) -> None:
    wrong = {name for name in graph.imported(path) if HEIGHT[name] < HEIGHT[path.stem]}
    assert wrong == set()


@pytest.mark.parametrize(
    ("library", "door"),
    [
        ("tensorflow", "runtime"),
        ("keras", "runtime"),
        ("tf_keras_vis", "interpretation"),
        ("mlflow", "tracking"),
        ("cv2", "augmentation"),
        ("imagehash", "duplicates"),
        ("cleanlab", "suspects"),
        ("skimage", "operations"),
    ],
)
def test_a_heavy_library_has_one_door(library: str, door: str) -> None:
    assert {path.stem for path in SOURCES if library in libraries(path)} == {door}


@pytest.mark.parametrize("stage", ["split", "audit", "evaluate", "render"])
def test_a_stage_of_statistics_starts_without_tensorflow(stage: str) -> None:
    script = Path(__file__).parent.parent / f"stages/{stage}.py"
    code = (
        f"import runpy, sys; runpy.run_path({str(script)!r}); sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
