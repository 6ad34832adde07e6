"""From a person's pictures to the manifest: examined, put aside with a reason, divided."""

from dataclasses import dataclass

import pandas as pd

from ladder import errors, settings
from ladder.pictures import examination, groups, layouts, manifests, originals, split


@dataclass(frozen=True)
class Intake:
    """What became of the pictures."""

    manifest: pd.DataFrame  # see `manifests`
    quarantine: pd.DataFrame  # path, reason: pictures that are not used
    examined: pd.DataFrame  # see `examination.examine`, with class_name


def of_book(
    pictures: originals.Originals,
    members: pd.DataFrame,
    parameters: settings.Split,
    test_starts_at: int | None,
) -> Intake:
    """Returns the manifest of the book's pictures, which are divided by their numbers.

    `members` are those of `archives.members`.

    Raises:
        InputError: too many cannot be read, or a class has too few.
    """
    used = split.by_number(members, parameters, test_starts_at)
    examined = examination.examine(pictures.read, used["path"], refuse_damaged=False)
    examined = examined.assign(class_name=used["class_name"])
    readable = examined["reason"].isna()
    quarantine = examined.loc[~readable, ["path", "reason"]]
    _check_readable(quarantine, len(examined), parameters.unreadable_share)
    usable = used[readable].assign(sha256=examined["sha256"])
    return Intake(manifests.build(usable), quarantine, examined)


def of_folder(
    pictures: originals.Originals, layout: layouts.Layout, parameters: settings.Split
) -> Intake:
    """Returns the manifest of a person's pictures, divided by their hashes.

    Put aside is what cannot be read, and a picture that stands under two labels.

    Raises:
        InputError: too many cannot be read, or a class is left without a subset.
    """
    examined = examination.examine(pictures.read, layout.pictures["path"])
    examined = examined.assign(class_name=layout.pictures["class_name"])
    subsets = layout.pictures.set_index("path")["subset"]
    readable = examined["reason"].isna()
    unreadable = examined.loc[~readable, ["path", "reason", "class_name"]]
    _check_readable(unreadable, len(examined), parameters.unreadable_share)
    usable = examined[readable].assign(subset=layout.pictures["subset"])
    ambiguous = groups.two_labels(usable)
    usable = usable[~usable["path"].isin(ambiguous["path"])]
    quarantine = pd.concat([unreadable, ambiguous], ignore_index=True)
    quarantine = quarantine.assign(subset=quarantine["path"].map(subsets))
    keys = groups.of_pictures(usable, parameters.group, parameters.hash_distance)
    divided = split.by_hash(usable.assign(group=keys), parameters, quarantine)
    return Intake(manifests.of_folder(divided), quarantine[["path", "reason"]], examined)


def _check_readable(unreadable: pd.DataFrame, count: int, share: float) -> None:
    if len(unreadable) > share * count:
        examples = zip(unreadable["path"].head(3), unreadable["reason"].head(3), strict=True)
        raise errors.InputError(
            "the pictures",
            expected=f"at most {share:.1%} of {count:,} that cannot be read "
            "(split.unreadable_share)",
            received=f"{len(unreadable):,} ({'; '.join(map(': '.join, examples))})",
            advice="Mend, replace or remove them, or allow for more: -S split.unreadable_share=1.",
        )
