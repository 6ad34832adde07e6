"""The page of `ladder demo`, a script of Streamlit's: `demo_app.py FOLDER RUNG`.

Streamlit runs it from its first line to its last at every visit and every click.
"""

import re
import sys
import warnings
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ladder import artifacts, errors, rungs
from ladder.networks import deployed
from ladder.pictures import images, reading

CLASSES = 10  # that have a bar, the most probable
SIZE = 384  # pixels of a picture on the page
HEATMAP = "Grad-CAM: the redder a place, the more it speaks for the class."
NO_HEATMAP = "Grad-CAM: no place speaks for the class."


class Network(NamedTuple):
    """A model, and what the page says of it."""

    about: str
    model: deployed.Model
    look: Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.float32]]  # `heatmaps.Look`
    lock: Lock  # visitors wait for one another: all cores work on one picture


@st.cache_resource(show_spinner="Reading the network. This takes some seconds.")
def network(folder: str, rung: str) -> Network:
    """Returns the network, which all visitors share; TensorFlow starts.

    Raises:
        InputError: its files are damaged.
    """
    from ladder.evidence import heatmaps

    files = deployed.find(folder, rung)
    summary = artifacts.read_json(files.weights.parent / deployed.SUMMARY)
    look = heatmaps.look(deployed.read(files, policy="float32").network)  # as predict's
    return Network(about(summary, files.rung), deployed.read(files), look, Lock())


def about(summary: Mapping[str, Any], rung: rungs.Rung) -> str:
    """Returns what the page says of a model: its rung, its test accuracy, its limits.

    `summary` is the content of `model.json`, which has the accuracy of the advised rung alone.
    """
    from ladder.page import sentences

    number, title = rungs.RUNGS.index(rung) + 1, rungs.TABLE[rung].title.replace("\n", " ")
    accuracy = f"Its test accuracy is in the ladder (ladder report {summary['name']})"
    if rung == summary["rung"] and (test := summary.get("test_accuracy")):
        accuracy = (
            f"Its accuracy on {test['pictures']:,} test pictures is {100 * test['accuracy']:.1f} % "
            f"(95 % interval {sentences.interval(test['ci_low'], test['ci_high'])} %)"
        )
    return (
        f"Rung {number}, {rung}: {title}. {accuracy}. It names one of its "
        f"{len(summary['class_names'])} classes for every picture, also for one that shows none of "
        "them. A high probability can be wrong."
    )


def main() -> None:
    """Shows the page of the model that the command line names."""
    folder, rung = sys.argv[1:]
    try:
        name = deployed.find(folder, rung).name
        st.set_page_config(page_title=f"{name}: Ladder", layout="wide")
        st.title(as_markdown(name), anchor=False)
        shared = network(folder, rung)
    except errors.InputError as error:
        st.error(as_markdown(str(error)))
        return
    st.markdown(as_markdown(shared.about))
    upload = st.file_uploader("A picture to name", max_upload_size=reading.BYTES // 10**6)
    st.caption("The picture stays on this machine, and is not stored.")
    if upload is None:
        return
    try:
        with shared.lock, warnings.catch_warnings(action="ignore"):
            picture = images.decode(upload.getvalue(), shared.model.image_size)
    except reading.UnreadableError as error:
        st.error(as_markdown(f"{upload.name} cannot be read: {error}"))
        return
    show(shared, picture, upload.file_id)


def show(shared: Network, picture: NDArray[np.uint8], key: str) -> None:
    """Shows a decoded picture (S, S, 3), a bar for each class, and the heatmap of one.

    `key` names the picture, so that the next one starts with the heatmap of its own class.
    """
    from ladder.page import grids

    names, size = shared.model.class_names, shared.model.image_size
    with shared.lock:
        (probabilities,) = shared.model.predict_images(picture[None])
    labels = np.argsort(-probabilities, kind="stable")[:CLASSES].tolist()
    first, second, third = st.columns(3, gap="medium")
    with first:
        st.subheader(as_markdown(names[labels[0]]), anchor=False)
        for label in labels:
            text = f"{names[label]}: {100 * probabilities[label]:.1f} %"
            st.progress(float(probabilities[label]), as_markdown(text))
        if len(names) > len(labels):
            st.caption(f"The first {len(labels)} of {len(names)} classes.")
    with second:
        st.subheader("The picture", anchor=False)
        st.image(grids.thumbnail(picture, SIZE), width=SIZE)
        st.caption(f"As the network sees it: {size} × {size} pixels.")
    with third:
        st.subheader("Where it looked", anchor=False)
        place = st.container()
        label = st.selectbox("For the class", labels, format_func=names.__getitem__, key=key)
        with shared.lock:
            (heatmap,) = shared.look(picture[None], np.array([label]))
        place.image(grids.overlay(picture, heatmap, SIZE), width=SIZE)
        place.caption(HEATMAP if heatmap.any() else NO_HEATMAP)


def as_markdown(text: str) -> str:
    """Returns Markdown that shows a text in one line; none of its signs is markup."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


if __name__ == "__main__":
    main()
