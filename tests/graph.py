"""The stages of dvc.yaml; and what their code says: the packages and the params of each."""

import ast
from pathlib import Path
from typing import Any

import yaml

from ladder import settings

SOURCE = Path("src/ladder")
GRAPH: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "dvc.yaml").read_text())
ALL_PARAMS: list[Any] = [{"params.yaml": None}]  # how DVC is asked for the whole file


def flat_stages() -> dict[str, dict[str, Any]]:
    """Returns the stages with `foreach` written out."""
    flat = {}
    for name, stage in GRAPH["stages"].items():
        items = stage.get("foreach", [None])
        for key in items:
            item = items[key] if isinstance(items, dict) else key
            text = yaml.safe_dump(stage.get("do", stage))
            text = text.replace("${item}", str(item)).replace("${key}", str(key))
            flat[f"{name}@{key}" if key else name] = yaml.safe_load(text)
    return flat


def params_of(stage: dict[str, Any]) -> set[str]:
    """Returns the params that a stage depends on; every section for the whole file."""
    whole = stage["params"] == ALL_PARAMS
    return {*(settings.Settings.model_fields if whole else stage["params"])}


def outputs(stage: dict[str, Any]) -> list[str]:
    """Returns the paths that a stage writes."""
    entries = [*stage["outs"], *stage.get("metrics", [])]
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def touches(one: str, other: str) -> bool:
    """Returns whether two paths are the same, or one lies in the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def rerun_by(param: str) -> set[str]:
    """Returns the stages that a change of a param reaches, directly or through files."""
    stages, names = flat_stages(), {param, param.split(".")[0]}
    reached = {name for name, stage in stages.items() if names & params_of(stage)}
    while True:
        written = [path for name in reached for path in outputs(stages[name])]
        grown = reached | {
            name
            for name, stage in stages.items()
            if any(touches(dep, path) for dep in stage["deps"] for path in written)
        }
        if grown == reached:
            return reached
        reached = grown


def imported(path: Path, *, at_the_top: bool = False) -> set[str]:
    """Returns the modules of `ladder` that a file imports, such as `page.grids`.

    Also inside functions, unless those at the top alone are asked for.
    """
    modules: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in tree.body if at_the_top else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ladder":
            inside = str(node.module).removeprefix("ladder").removeprefix(".")
            for alias in node.names:
                name = f"{inside}.{alias.name}".removeprefix(".")
                is_module = (SOURCE / f"{name.replace('.', '/')}.py").is_file()
                modules.add(name if is_module else inside)
    return modules


def reached(script: Path, *, at_the_top: bool = False) -> set[str]:
    """Returns every module that a script imports, directly or not."""
    modules, waiting = set[str](), imported(script, at_the_top=at_the_top)
    while waiting:
        module = waiting.pop()
        if module not in modules:
            modules.add(module)
            path = SOURCE / f"{module.replace('.', '/')}.py"
            waiting |= imported(path, at_the_top=at_the_top)
    return modules


def code_deps(script: Path) -> set[str]:
    """Returns the script and the packages of the modules that it reaches; no plumbing."""
    packages = {module.split(".")[0] for module in reached(script) if "." in module}
    return {script.as_posix()} | {(SOURCE / package).as_posix() for package in packages}


def loaded_params(script: Path) -> set[str]:
    """Returns the params that the script's class `Params` names; all for `settings.read`."""
    sections = {name: f.annotation for name, f in settings.Settings.model_fields.items()}
    text = script.read_text()
    if "settings.read(settings.PARAMS)" in text:
        return set(sections)
    keys: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name == "Params":
            for field in node.body:
                assert isinstance(field, ast.AnnAssign)
                section, kind = ast.unparse(field.target), ast.unparse(field.annotation)
                annotation = getattr(settings, kind.removeprefix("settings."))
                whole = not hasattr(annotation, "model_fields") or annotation is sections[section]
                parts = [] if whole else annotation.model_fields
                keys |= {f"{section}.{part}" for part in parts} or {section}
    return keys
