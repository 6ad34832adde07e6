"""Fetches the pictures as their source gives them: an archive, or a person's files (DLwP 5.2.2)."""

from ladder import artifacts, errors, paths, settings
from ladder.pictures import sources


class Params(settings.Section):
    dataset: settings.Dataset


def main() -> None:
    params = settings.load(Params)
    with artifacts.whole(paths.DatasetPaths(params.dataset.name).raw) as raw:
        sources.fetch(params.dataset, raw)


if __name__ == "__main__":
    errors.run(main)
