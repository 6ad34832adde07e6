"""What a stage's code says of it: the modules that it imports and the params that it loads."""

import ast
from pathlib import Path

PLUMBING = {"__init__", "errors", "paths", "settings", "tracking"}  # cannot change what is written


def imported(path: Path) -> set[str]:
    """Returns the modules of `ladder` that a file imports, also inside functions."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "ladder":
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ladder."):
            modules.add(str(node.module).removeprefix("ladder."))
    return modules


def code_deps(script: Path) -> set[str]:
    """Returns the script and every module that it imports, directly or not, but the plumbing."""
    deps, waiting = {script.as_posix()}, imported(script) - PLUMBING
    while waiting:
        path = Path("src/ladder") / f"{waiting.pop()}.py"
        if path.as_posix() not in deps:
            deps.add(path.as_posix())
            waiting |= imported(path) - PLUMBING
    return deps


def loaded_params(script: Path) -> set[str]:
    """Returns the literals of the script's `settings.load(…)`."""
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "settings.load":
            return {ast.literal_eval(argument) for argument in node.args}
    return set()
