"""What the predictions of a climb come from, but for the seed: its params and its code."""

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ladder import artifacts, settings

# What comes after the predictions, or beside them, and what it takes from params.yaml.
AFTER = {"audit", "evaluate", "interpret", "interpret_base", "render"}
NOT_OF_PREDICTIONS = {"seed", "audit", "interpretation"}


def digest(params: Mapping[str, Any], code: Mapping[str, str]) -> str:
    """Returns a hash of what predictions come from but for the seed: params, and code by its md5.

    The pictures are among the params, by their source, counts and archive's hash. Which deal of
    shuffled labels it is goes with the seed.
    """
    kept = {key: value for key, value in params.items() if key not in NOT_OF_PREDICTIONS}
    if deal := kept.get("split", {}).get("shuffle_train_labels"):
        kept["split"] = kept["split"] | {"shuffle_train_labels": bool(deal)}
    return hashlib.sha256(json.dumps([kept, dict(code)], sort_keys=True).encode()).hexdigest()


def of_project(project: Path) -> dict[str, str]:
    """Returns the code that a climb of a project would have, by its md5."""
    deps = {
        dep
        for name, stage in YAML(typ="safe", pure=True).load(project / "dvc.yaml")["stages"].items()
        for dep in stage.get("do", stage)["deps"]
        if name not in AFTER and dep.endswith(".py")
    }
    md5 = functools.partial(hashlib.md5, usedforsecurity=False)  # as DVC has it in its lock
    return {dep: md5((project / dep).read_bytes()).hexdigest() for dep in deps}


def of_lock(lock: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the params and the code that the climb of a lock had."""
    safe = YAML(typ="safe", pure=True)
    code = {
        dep["path"]: dep["md5"]
        for name, stage in safe.load(lock)["stages"].items()
        for dep in stage.get("deps", [])
        if name.partition("@")[0] not in AFTER and dep["path"].endswith(".py")
    }
    params: dict[str, Any] = safe.load(artifacts.params_of(lock))
    return params, code


def of_rungs(lock: Path) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Returns, by rung, the params and the code of all stages that lead to its predictions.

    Params stand as stages ask for them, such as `seed` or `augmentation.views`; code by its md5.
    """
    stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    predictions = (name for name in stages if name.startswith("predict@"))
    return {name.removeprefix("predict@"): _leading_to(name, stages) for name in predictions}


def _leading_to(
    last: str, stages: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, str]]:
    writes = {out["path"]: name for name, stage in stages.items() for out in stage["outs"]}
    params: dict[str, Any] = {}
    code: dict[str, str] = {}
    ahead, met = [last], set[str]()
    while ahead:
        name = ahead.pop()
        if name in met:
            continue
        met.add(name)
        for dep in stages[name].get("deps", []):
            if dep["path"].endswith(".py"):
                code[dep["path"]] = dep["md5"]
            elif dep["path"] in writes:
                ahead.append(writes[dep["path"]])
        for key, value in stages[name].get("params", {}).get(settings.PARAMS.name, {}).items():
            if key.partition(".")[0] not in NOT_OF_PREDICTIONS - {"seed"}:
                params[key] = value
    return params, code
