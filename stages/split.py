"""Assigns pictures to train, validation and test, and sets unreadable ones aside (DLwP 5.2.2)."""

from ladder import artifacts, errors, paths, settings
from ladder.pictures import archives, manifests, reading, sources, split


class Params(settings.Section):
    dataset: settings.Dataset
    split: settings.Split
    interpretation: settings.Example


def main() -> None:
    params = settings.load(Params)
    files = paths.DatasetPaths(params.dataset.source)
    members = archives.members(files.archive)
    starts_at = sources.TEST_STARTS_AT[params.dataset.source]
    used = split.by_number(members, params.split, starts_at)
    usable, quarantine = reading.examine(files.archive, used)
    pictures = manifests.build(usable)
    if deal := params.split.shuffle_train_labels:
        pictures = split.shuffle_train_labels(pictures, deal)
    test = pictures[pictures["subset"] == "test"].reset_index(drop=True)
    split.example(test, params.interpretation.picture)  # a wrong one stops here, not after hours
    artifacts.write_csv(files.quarantine, quarantine)
    artifacts.write_csv(files.manifest, pictures)
    shared = manifests.shared_groups(pictures)
    print(f"{len(pictures)} pictures, {len(quarantine)} in quarantine, {shared} in two subsets")


if __name__ == "__main__":
    errors.run(main)
