import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

import tiny_model
from ladder import errors, rungs
from ladder.networks import deployed
from ladder.page import demo, demo_app, grids
from ladder.pictures import images, reading
from ladder.pictures.drawing import draw

THREE = ["cat", "dog", "eel"]
TWELVE = [f"class {number}" for number in range(12)]
REFUSED = """
import sys
from ladder import cli, errors
for line in ("oaks", "--rung best", "photos --rung fine_tuned", "photos --port 70000"):
    try:
        cli.app(["demo", *line.split()])
    except errors.InputError as error:
        print(error)
sys.exit(len({"tensorflow", "mlflow", "streamlit"} & {*sys.modules}))
"""


@pytest.fixture(autouse=True)
def root(at_root: Path) -> Path:
    return at_root


def encoded(number: int) -> bytes:
    """Returns a drawn picture as the bytes of a PNG."""
    path = Path(f"{number}.png")
    Image.fromarray(draw(number % 3, 60, np.random.default_rng(number))).save(path)
    return path.read_bytes()


def app(monkeypatch: pytest.MonkeyPatch, rung: str = "scratch") -> AppTest:
    monkeypatch.setattr(sys, "argv", ["demo_app.py", str(Path("models/photos").absolute()), rung])
    return AppTest.from_file(demo.APP, default_timeout=120)


def dropped(test: AppTest, content: bytes, name: str = "new.png") -> AppTest:
    """Drops a file on the page."""
    test.file_uploader[0].set_value((name, content, "image/png"))
    return test.run()


def probabilities(content: bytes, rung: str = "scratch") -> NDArray[np.float32]:
    """Returns Keras' own outputs for a picture (k,), of two classes both."""
    pixels = images.decode(content, tiny_model.SIZE)[None].astype(np.float32)
    outputs = deployed.load("photos", rung).network(pixels, training=False).numpy()[0]
    return outputs if len(outputs) > 1 else np.array([1 - outputs[0], outputs[0]])


def bars(test: AppTest) -> list[tuple[str, int]]:
    """Returns the bars of the page: text without backslashes, and length in per cent."""
    protos = [element.proto for element in test.get("progress")]
    return [(proto.text.replace("\\", ""), proto.value) for proto in protos]


@pytest.mark.parametrize("class_names", [["cat", "dog"], TWELVE])
def test_the_page_shows_the_probabilities_the_largest_first(
    class_names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model.hand_over(class_names)
    test = app(monkeypatch).run()
    assert not test.exception
    assert bars(test) == []
    content = encoded(1)
    dropped(test, content)
    assert not test.exception
    pairs = zip(probabilities(content), class_names, strict=True)
    expected = sorted(pairs, key=lambda pair: -pair[0])[:10]
    texts = [text for text, _ in bars(test)]
    assert texts == [f"{name}: {100 * value:.1f} %" for value, name in expected]
    lengths = [length for _, length in bars(test)]
    np.testing.assert_allclose(lengths, [100 * value for value, _ in expected], atol=1)
    assert test.subheader[0].value.replace("\\", "") == expected[0][1]
    assert any("first 10 of 12" in c.value for c in test.caption) == (class_names == TWELVE)


def test_the_heatmap_is_that_of_the_predicted_class_until_another_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ladder.evidence import interpretation

    tiny_model.hand_over(THREE)
    drawn: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []

    def overlay(picture: Any, heatmap: Any, size: int) -> NDArray[np.uint8]:
        drawn.append((picture, heatmap))
        return grids.thumbnail(picture, size)

    monkeypatch.setattr(grids, "overlay", overlay)
    first, second = encoded(0), encoded(1)
    answers = [int(probabilities(content).argmax()) for content in (first, second)]
    other = next(label for label in range(3) if label not in answers)
    test = dropped(app(monkeypatch).run(), first)
    test.selectbox[0].set_value(other).run()
    dropped(test, second)
    assert not test.exception
    pixels = np.stack([images.decode(content, tiny_model.SIZE) for content in (first, second)])
    maps = interpretation.heatmaps(deployed.load("photos").network, pixels)["grad_cam"]
    for (picture, heatmap), row, label in zip(
        drawn, (0, 0, 1), (answers[0], other, answers[1]), strict=True
    ):
        np.testing.assert_array_equal(picture, pixels[row])
        np.testing.assert_allclose(heatmap, maps[row, label], atol=1e-5)
    assert len({heatmap.tobytes() for _, heatmap in drawn}) == 3


def test_a_heatmap_of_nothing_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from ladder.evidence import heatmaps

    tiny_model.hand_over(THREE)
    nothing = np.zeros((1, 3, 3), np.float32)
    monkeypatch.setattr(heatmaps, "look", lambda _network: lambda _images, _labels: nothing)
    test = dropped(app(monkeypatch).run(), encoded(0))
    assert demo_app.NO_HEATMAP in [caption.value for caption in test.caption]


def test_an_unreadable_picture_is_answered_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny_model.hand_over(THREE)
    test = dropped(app(monkeypatch).run(), b"text", "notes *1*.png")
    assert not test.exception
    (error,) = test.error
    with pytest.raises(reading.UnreadableError) as reason:
        images.decode(b"text", tiny_model.SIZE)
    expected = f"notes *1*.png cannot be read: {reason.value}"
    assert error.value == demo_app.as_markdown(expected)
    assert bars(test) == []
    dropped(test, encoded(0))
    assert not test.error
    assert len(bars(test)) == 3


def test_damaged_weights_are_named_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model.hand_over(THREE)
    Path("models/photos/scratch.weights.h5").write_text("damaged")
    test = app(monkeypatch).run()
    assert not test.exception
    (error,) = test.error
    assert "scratch.weights.h5: expected" in error.value.replace("\\", "")


def test_another_rung_answers_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model.hand_over(THREE)
    test = app(monkeypatch, "scratch_augmented").run()
    assert "Rung 2, scratch_augmented" in test.markdown[0].value.replace("\\", "")
    assert "ladder report photos" in test.markdown[0].value.replace("\\", "")


SUMMARY = {
    "name": "photos",
    "rung": "features",
    "class_names": THREE,
    "test_accuracy": tiny_model.ACCURACY,
}


def test_the_accuracy_is_told_of_the_rung_that_it_belongs_to() -> None:
    text = demo_app.about(SUMMARY, "features")
    assert text.startswith("Rung 3, features: dense head on stored features. Its accuracy on 1,0")
    assert "is 90.0 % (95 % interval 80.0 – 95.0 %). It names one of its 3 classes" in text
    others = [rung for rung in rungs.RUNGS if rung != "features"]
    without = {key: value for key, value in SUMMARY.items() if key != "test_accuracy"}
    texts = [demo_app.about(SUMMARY, rung) for rung in others]
    for text in [*texts, demo_app.about(without, "features")]:
        assert "90.0" not in text
        assert "ladder report photos" in text


@pytest.mark.parametrize(
    "text",
    ["*a* _b_ `c` ~~d~~", "# head", "1. one", "<b>&amp;", "[a](b) ![c](d)", "a\\b", "übrig", "-->"],
)
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    (paragraph,) = [
        token for token in MarkdownIt().parse(demo_app.as_markdown(text)) if token.children
    ]
    assert paragraph.children is not None
    assert "".join(child.content for child in paragraph.children) == text
    assert {child.type for child in paragraph.children} <= {"text", "text_special"}


def test_a_text_of_several_lines_becomes_one() -> None:
    assert demo_app.as_markdown("a\n\n b\t c ") == "a b c"


def test_a_wrong_argument_is_refused_before_anything_heavy_is_imported() -> None:
    tiny_model.hand_over(THREE)
    done = subprocess.run(
        [sys.executable, "-c", REFUSED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for line, message in zip(
        done.stdout.splitlines(),
        (
            "expected one of photos, or a folder",
            "expected one of scratch, scratch_augmented",
            "Received: scratch, scratch_augmented.",
            "port: expected a free port. Received: 70000",
        ),
        strict=True,
    ):
        assert message in line


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model.hand_over(THREE)
    monkeypatch.setattr(demo, "find_spec", lambda _name: None)
    with pytest.raises(errors.InputError, match=r"pip install 'ladder\[demo\]'"):
        demo.run(None, None, free_port())


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_the_server_says_where_it_is_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    tiny_model.hand_over(THREE)
    port = free_port()
    home = tmp_path / "home"
    home.mkdir()
    before = {*tmp_path.rglob("*")}
    with subprocess.Popen(
        [sys.executable, "-m", "ladder.cli", "demo", "--port", str(port)],
        env=os.environ | {"HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # where `&` ignores it
    ) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(2)]
            assert lines[0] == "ladder: model photos, rung scratch\n"
            assert f"http://127.0.0.1:{port} " in lines[1]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=60) as page:
                assert page.status == 200
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60) == ("", "")
            assert process.returncode == 0
        finally:
            process.terminate()  # its own server goes with it
    assert {*tmp_path.rglob("*")} == before
    with socket.socket() as knock:
        assert knock.connect_ex(("127.0.0.1", port)) != 0
