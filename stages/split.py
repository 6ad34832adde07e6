"""Assigns pictures to train, validation and test, and sets some aside (DLwP 5.2.2)."""

from ladder import artifacts, errors, paths, settings
from ladder.pictures import (
    archives,
    corrections,
    examination,
    intake,
    layouts,
    manifests,
    originals,
    sources,
    split,
)


class Params(settings.Section):
    dataset: settings.Dataset
    split: settings.Split
    interpretation: settings.Example


def main() -> None:
    params = settings.load(Params)
    files, source = paths.DatasetPaths(params.dataset.name), params.dataset.source
    decided = corrections.load(files.corrections, params.split.corrections)
    with originals.opened(files.raw) as pictures:
        if source == "folder":
            layout = layouts.recognise(pictures, params.dataset.name)
            taken = intake.of_folder(pictures, layout, params.split, decided)
        else:
            members = archives.members(files.archive)
            starts_at = sources.TEST_STARTS_AT[source]
            taken = intake.of_book(pictures, members, params.split, starts_at, decided)
    manifest = taken.manifest
    if deal := params.split.shuffle_train_labels:
        manifest = split.shuffle_train_labels(manifest, deal)
    test = manifest[manifest["subset"] == "test"].reset_index(drop=True)
    split.example(test, params.interpretation.picture)  # a wrong one stops here, not after hours
    artifacts.write_csv(files.quarantine, taken.quarantine)
    artifacts.write_csv(files.manifest, manifest)
    artifacts.write_csv(files.examination("pictures"), taken.examined)
    artifacts.write_csv(files.examination("findings"), examination.findings(taken.examined))
    artifacts.write_csv(files.examination("by_class"), examination.by_class(taken.examined))
    if params.split.corrections:
        artifacts.write_csv(files.examination("corrections"), taken.effects)
    shared = manifests.shared_groups(manifest)
    print(
        f"{len(manifest)} pictures, {len(taken.quarantine)} in quarantine, {shared} in two subsets"
    )


if __name__ == "__main__":
    errors.run(main)
