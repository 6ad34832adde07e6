"""From a person's pictures to the manifest: examined, put aside with a reason, divided."""

from dataclasses import dataclass

import pandas as pd

from ladder import errors, settings
from ladder.pictures import corrections as labels
from ladder.pictures import examination, groups, layouts, manifests, originals, split

DROPPED = "dropped by the corrections"


@dataclass(frozen=True)
class Intake:
    """What became of the pictures."""

    manifest: pd.DataFrame  # see `manifests`
    quarantine: pd.DataFrame  # path, reason: pictures that are not used
    examined: pd.DataFrame  # see `examination.examine`, with class_name
    effects: pd.DataFrame  # of the corrections, see `corrections.apply`


def of_book(
    pictures: originals.Originals,
    members: pd.DataFrame,
    parameters: settings.Split,
    test_starts_at: int | None,
    corrections: pd.DataFrame,
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
    manifest = manifests.build(used[readable].assign(sha256=examined["sha256"]))
    corrected = labels.apply(manifest, corrections)
    manifest = manifests.relabelled(manifest, corrected.class_names)
    dropped = manifest.loc[corrected.is_dropped, ["path"]].assign(reason=DROPPED)
    return Intake(
        manifest[~corrected.is_dropped].reset_index(drop=True),
        pd.concat([quarantine, dropped], ignore_index=True),
        examined,
        corrected.effects,
    )


def of_folder(
    pictures: originals.Originals,
    layout: layouts.Layout,
    parameters: settings.Split,
    corrections: pd.DataFrame,
) -> Intake:
    """Returns the manifest of a person's pictures, divided by their hashes.

    Put aside is what cannot be read, what the corrections drop, and a picture that stands under two
    labels after them.

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
    corrected = labels.apply(usable, corrections)
    dropped = usable.loc[corrected.is_dropped, ["path", "class_name"]].assign(reason=DROPPED)
    usable = usable.assign(class_name=corrected.class_names)[~corrected.is_dropped]
    examined.loc[usable.index, "class_name"] = usable["class_name"]
    ambiguous = groups.two_labels(usable)
    usable = usable[~usable["path"].isin(ambiguous["path"])]
    quarantine = pd.concat([unreadable, dropped, ambiguous], ignore_index=True)
    quarantine = quarantine.assign(subset=quarantine["path"].map(subsets))
    keys = groups.of_pictures(usable, parameters.group, parameters.hash_distance)
    divided = split.by_hash(usable.assign(group=keys), parameters, quarantine)
    return Intake(
        manifests.of_folder(divided), quarantine[["path", "reason"]], examined, corrected.effects
    )


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
