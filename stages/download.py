"""Fetches the pictures: one zip archive, as its source gives it (DLwP 5.2.2)."""

from ladder import artifacts, errors, paths, settings
from ladder.pictures import sources


class Params(settings.Section):
    dataset: settings.Dataset


def main() -> None:
    params = settings.load(Params)
    with artifacts.whole(paths.DatasetPaths(params.dataset.source).archive) as target:
        sources.fetch(params.dataset, target)


if __name__ == "__main__":
    errors.run(main)
