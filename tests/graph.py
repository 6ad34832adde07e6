"""What a stage's code says of it: the packages that it reaches and the params that it loads."""

import ast
from pathlib import Path

from ladder import settings

SOURCE = Path("src/ladder")


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
