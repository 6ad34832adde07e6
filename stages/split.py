"""Assigns pictures to train, validation and test, and sets unreadable ones aside (DLwP 5.2.2)."""

from ladder import archives, artifacts, audit, errors, paths, settings, sources, split


def main() -> None:
    params = settings.load("dataset", "split", "interpretation.picture")
    files = paths.DatasetPaths(params.dataset.source)
    members = archives.members(files.archive)
    starts_at = sources.TEST_STARTS_AT[params.dataset.source]
    chosen = split.by_number(members, params.split, starts_at)
    usable, quarantine = audit.examine(files.archive, chosen)
    manifest = split.manifest(usable, audit.duplicate_groups(usable["sha256"]))
    if deal := params.split.shuffle_train_labels:
        manifest = split.shuffle_train_labels(manifest, deal)
    test = manifest[manifest["subset"] == "test"].reset_index(drop=True)
    split.example(test, params.interpretation.picture)  # a wrong one is told before hours of work
    artifacts.write_csv(files.quarantine, quarantine)
    artifacts.write_csv(files.manifest, manifest)
    shared = split.shared_groups(manifest)
    print(f"{len(manifest)} pictures, {len(quarantine)} in quarantine, {shared} in two subsets")


if __name__ == "__main__":
    errors.run(main)
