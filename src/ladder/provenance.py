"""What a climb's predictions come from, but for the seed: its params, its code, its machine."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ladder import artifacts, errors, rungs, settings

QUICK = Path("reports/quick")  # the committed results of the quick form

# Params that differ between seeds, and params that predictions do not depend on.
NOT_OF_PREDICTIONS = {"seed", "audit", "evaluation", "interpretation"}


@dataclass(frozen=True)
class Identity:
    """What must be equal for two climbs to be pooled or compared; the seed may differ.

    The pictures are among the params, by their source, counts and the archive's hash.
    """

    params: Mapping[str, Any]  # all of params.yaml
    fingerprint: str  # of the code, see `fingerprint`
    policy: str  # of Keras
    tensorflow: str  # versions
    keras: str


def fingerprint(project: Path) -> str:
    """Returns a short hash of what the code does: of the committed results of the quick form.

    CI climbs the quick form again on every change. As long as its weights and predictions come out
    as committed, the code does what it did, whatever its files are called.

    Raises:
        InputError: the results are not there.
    """
    folder = project / QUICK
    results = [*folder.glob("*/weights.json"), *folder.glob("*/predictions/*.csv")]
    if not results:
        raise errors.InputError(
            str(QUICK),
            expected="the committed results of the quick form",
            received="none",
            advice="Take them back from git: git checkout reports/quick.",
        )
    digest = hashlib.sha256()
    for path in sorted(results):
        digest.update(f"{path.relative_to(folder).as_posix()} {artifacts.sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def of_climb(
    params: Mapping[str, Any], fingerprints: Iterable[str], runtimes: Iterable[Mapping[str, str]]
) -> Identity:
    """Returns the identity of a climb, from its rungs' fingerprints and `runtimes`.

    Where rungs differ, because some came from another machine's cache, all values are named.
    """

    def every(values: Iterable[str]) -> str:
        return ", ".join(sorted({*values}))

    machines = list(runtimes)
    names = ("policy", "tensorflow", "keras")
    of_machines = {name: every(machine[name] for machine in machines) for name in names}
    return Identity(params, every(fingerprints), **of_machines)


def write(path: Path, identity: Identity, **more: Any) -> None:
    """Writes an identity as JSON, with more values."""
    artifacts.write_json(path, {**asdict(identity), **more})


def read(path: Path) -> Identity:
    """Returns the identity that `write` wrote."""
    return of_content(artifacts.read_json(path))


def of_content(content: Mapping[str, Any]) -> Identity:
    """Returns the identity in what `write` wrote."""
    return Identity(**{name: content[name] for name in Identity.__dataclass_fields__})


def differences(
    one: Identity, other: Identity, left_out: Collection[str] = frozenset()
) -> list[str]:
    """Returns why two climbs are not alike; nothing if they are.

    Such as `fine_tune.epochs: 8, 4` or `policy: float32, mixed_bfloat16`. Which deal of shuffled
    labels it is goes with the seed. `left_out` are keys and sections of the params that may differ.
    """
    names = ("fingerprint", "policy", "tensorflow", "keras")
    left, right = (_of_predictions(each.params) for each in (one, other))
    changed = changed_params(left, right, left_out)
    return [*_attributes(names, one, other), *changed.values()]


def changed_params(
    one: Mapping[str, Any], other: Mapping[str, Any], left_out: Collection[str] = frozenset()
) -> dict[str, str]:
    """Returns what differs, by key, such as `fine_tune.epochs: 8, 4`.

    A value that is not there is the word nothing. `left_out` are keys and sections.
    """
    left, right = (dict(_flat(params)) for params in (one, other))
    absent = "nothing"
    return {
        key: f"{key}: {left.get(key, absent)}, {right.get(key, absent)}"
        for key in dict.fromkeys([*left, *right])
        if left.get(key, absent) != right.get(key, absent) and not is_among(key, left_out)
    }


def is_among(key: str, params: Collection[str]) -> bool:
    """Returns whether a key, such as `fine_tune.epochs`, or a section that holds it is there."""
    return any(key == each or key.startswith(f"{each}.") for each in params)


def differences_of_code(one: Identity, other: Identity) -> list[str]:
    """Returns why two climbs cannot be compared though their params may differ.

    The policy may differ only where the params ask for another precision.
    """
    precisions = {identity.params["runtime"]["precision"] for identity in (one, other)}
    policy = ("policy",) if len(precisions) == 1 else ()
    return _attributes(("fingerprint", "tensorflow", "keras", *policy), one, other)


def _attributes(names: Sequence[str], one: Identity, other: Identity) -> list[str]:
    return [
        f"{name}: {getattr(one, name)}, {getattr(other, name)}"
        for name in names
        if getattr(one, name) != getattr(other, name)
    ]


def _of_predictions(params: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in params.items() if key not in NOT_OF_PREDICTIONS}
    if deal := kept.get("split", {}).get("shuffle_train_labels"):
        kept["split"] = kept["split"] | {"shuffle_train_labels": bool(deal)}
    return kept


def _flat(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in params.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", part) for name, part in _flat(value))
        else:
            yield key, value


def pictures(manifest: Any) -> str:
    """Returns a hash of the pictures' bytes with their ids and subsets, in the manifest's order.

    Pictures of equal names from two archives need not be equal pictures.
    """
    text = json.dumps(manifest[["id", "subset", "sha256"]].to_numpy().tolist())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def params_by_rung(lock: Path) -> dict[rungs.Rung, dict[str, Any]]:
    """Returns, by rung, the params of all stages that lead to its predictions.

    They stand as stages ask for them, such as `seed` or `augmentation.views`.
    """
    stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    return {rung: _leading_to(f"predict@{rung}", stages) for rung in rungs.RUNGS}


def _leading_to(last: str, stages: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    writers = {out["path"]: name for name, stage in stages.items() for out in stage["outs"]}
    params: dict[str, Any] = {}
    waiting, seen = [last], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for dep in stages[name].get("deps", []):
            waiting += [writer for out, writer in writers.items() if _overlap(dep["path"], out)]
        for key, value in stages[name].get("params", {}).get(settings.PARAMS.name, {}).items():
            if key.partition(".")[0] not in NOT_OF_PREDICTIONS - {"seed"}:
                params[key] = value
    return params


def _overlap(one: str, other: str) -> bool:
    """Returns whether two paths are the same, or one of them is a folder that holds the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
