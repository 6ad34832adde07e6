import functools
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import graph
import tiny_model
from ladder import errors
from ladder.networks import deployed, exported, standalone
from ladder.pictures import images
from ladder.pictures.drawing import draw

SIZE = tiny_model.SIZE
TWO, THREE = ("cat", "dög"), ("cat", "dog", "eel")
CASES = {"saved_model": TWO, "onnx": THREE, "litert": TWO}


def model(*class_names: str) -> deployed.Model:
    """Returns a convnet whose random weights are sure of different classes."""
    network, _ = tiny_model.convnet(*class_names)
    return deployed.Model("photos", "scratch", class_names, SIZE, network)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Returns the folder of an export, and the model that it is of."""

    @functools.cache
    def write(format_name: str) -> tuple[Path, deployed.Model]:
        folder, network = tmp_path_factory.mktemp(format_name), model(*CASES[format_name])
        exported.write(network, exported.FORMATS[format_name], folder)
        return folder, network

    return write


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def by_opencv(pixels: NDArray[Any], suffix: str = ".png") -> bytes:
    content: bytes = cv2.imencode(suffix, pixels)[1].tobytes()
    return content


def kinds() -> dict[str, bytes]:
    """Returns pictures of every kind that decoding knows, by what is special about them."""
    pixels = draw(1, 60, np.random.default_rng(3))[:40]
    picture, rgba = Image.fromarray(pixels), Image.fromarray(pixels).convert("RGBA")
    rgba.putalpha(Image.fromarray(np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))))
    white = Image.new("RGBA", (60, 40), (255, 255, 255, 0))
    white.paste((255, 255, 255, 255), (10, 10, 30, 30))
    upper = pixels.astype(np.uint16) * 257
    exif = Image.Exif()
    lab = Image.merge("LAB", picture.split())
    grey = pixels[..., 0]
    contents = {
        "jpeg": encoded(picture, "JPEG"),
        "cmyk jpeg": encoded(picture.convert("CMYK"), "JPEG"),
        "cmyk tiff": encoded(picture.convert("CMYK"), "TIFF"),
        "lab tiff": encoded(lab, "TIFF"),
        "grey": encoded(picture.convert("L")),
        "black and white": encoded(picture.convert("1")),
        "palette": encoded(picture.convert("P")),
        "transparent palette": encoded(picture.convert("P"), transparency=3),
        "gif": encoded(picture, "GIF", save_all=True, append_images=[white.convert("RGB")]),
        "alpha": encoded(rgba),
        "grey with alpha": encoded(rgba.convert("LA")),
        "white icon": encoded(white),
        "webp": encoded(rgba, "WEBP", lossless=True),
        "bmp": encoded(picture, "BMP"),
        "16 bits": by_opencv(upper),
        "12 bits in 16": by_opencv(upper >> 4),
        "8 bits in 16": by_opencv(pixels.astype(np.uint16)),
        "16 bits with alpha": by_opencv(np.dstack([upper >> 4, upper[..., :1]])),
        "16 bits in tiff": by_opencv(upper >> 2, ".tiff"),
        "16 bits of grey": encoded(Image.fromarray(grey.astype(np.uint16) * 16)),
        "fractions": encoded(Image.fromarray(grey.astype(np.float32) / 255), "TIFF"),
        "signed": encoded(Image.fromarray(grey.astype(np.int32) - 100), "TIFF"),
        "odd metadata": encoded(picture, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
    }
    for number in range(6):
        drawn = draw(number % 3, 60, np.random.default_rng(number))
        contents[f"drawing {number}"] = encoded(Image.fromarray(drawn))
    for orientation in range(2, 9):
        exif[0x0112] = orientation
        contents[f"turned {orientation}"] = encoded(picture, "JPEG", exif=exif)
        contents[f"turned {orientation}, png"] = encoded(picture, exif=exif)
    return contents


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    files = []
    for number, content in enumerate(kinds().values()):
        files.append(tmp_path / f"picture {number}")
        files[-1].write_bytes(content)
    return files


@pytest.mark.parametrize("format_name", CASES)
def test_an_export_says_of_files_of_every_kind_what_the_model_says(
    format_name: str, written: Any, pictures: list[Path]
) -> None:
    folder, network = written(format_name)
    counted: list[int] = []
    outputs = exported.run(folder, pictures, lambda: counted.append(1))
    assert len(counted) == len(pictures) > standalone.BATCH_SIZE
    expected = network.predict_bytes([path.read_bytes() for path in pictures])
    assert outputs.shape == (len(pictures), len(CASES[format_name]))
    assert outputs.dtype == np.float32
    assert len({*expected.argmax(axis=1)}) > 1
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


@pytest.mark.parametrize("class_names", [TWO, THREE])
def test_every_class_has_a_probability_of_keras_own(class_names: tuple[str, ...]) -> None:
    network = model(*class_names)
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    outputs = exported.every_class(network.network).predict_on_batch(pixels.astype(np.float32))
    assert outputs.shape == (3, len(class_names))
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(outputs, network.predict_images(pixels), atol=1e-6)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("images", "Resampling.BILINEAR", "Resampling.NEAREST"),
        ("reading", "rgb if turn is None else rgb.transpose(turn)", "rgb"),
        ("colours", '"white", picture)\n    if', '"black", picture)\n    if'),
    ],
)
def test_another_way_to_decode_gives_other_answers(
    module: str, right: str, wrong: str, written: Any, pictures: list[Path]
) -> None:
    folder, network = written("onnx")
    file = folder / exported.DECODING / f"{module}.py"
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong))
    try:
        outputs = exported.run(folder, pictures, lambda: None)
    finally:
        file.write_text(text)
    expected = network.predict_bytes([path.read_bytes() for path in pictures])
    assert np.abs(outputs - expected).max() > 0.01


# Refuses all that a computer with Python, Pillow and numpy alone does not have.
BARE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        known = {*sys.stdlib_module_names, "numpy", "PIL", "ladder_pictures"}
        if name.partition(".")[0] not in known:
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Absent())
sys.path.insert(0, sys.argv[1])
import numpy as np, pathlib
from ladder_pictures import images
results = [images.decode_file(pathlib.Path(path), 48) for path in sys.argv[3:]]
print([result for result in results if isinstance(result, str)])
np.savez(sys.argv[2], *(result for result in results if not isinstance(result, str)))
"""


def test_files_are_decoded_bit_for_bit_on_pillow_and_numpy_alone(
    written: Any, pictures: list[Path], tmp_path: Path
) -> None:
    """Some of 16 bits take OpenCV: without it they are refused, and not decoded otherwise."""
    folder, _ = written("onnx")
    command = [sys.executable, "-W", "ignore", "-c", BARE, folder, tmp_path / "pixels.npz"]
    done = subprocess.run([*command, *pictures], capture_output=True, text=True, check=True)
    narrow = ["12 bits in 16", "8 bits in 16", "16 bits with alpha", "16 bits in tiff"]
    assert done.stdout.strip() == str(["16 bits: pip install opencv-python-headless"] * len(narrow))
    wanted = [content for kind, content in kinds().items() if kind not in narrow]
    with np.load(tmp_path / "pixels.npz") as arrays:
        assert len(arrays) == len(wanted)
        for pixels, content in zip(arrays.values(), wanted, strict=True):
            np.testing.assert_array_equal(pixels, images.decode(content, SIZE))


def test_the_modules_that_are_copied_are_those_that_decoding_imports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent.parent)
    reached = graph.reached(Path("src/ladder/pictures/images.py")) | {"pictures.images"}
    assert reached == {f"pictures.{module}" for module in exported.MODULES}


def test_the_program_names_what_it_cannot_read_and_goes_on(
    written: Any, pictures: list[Path]
) -> None:
    folder, _ = written("onnx")
    text = folder / "notes.jpg"
    text.write_text("no picture")
    command = [sys.executable, "-P", folder / exported.PROGRAM, pictures[0], text, "missing.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert f'"path": "{pictures[0]}"' in line
    assert done.stderr.splitlines() == [
        f"{text}: not a picture of a known format",
        "missing.jpg: No such file or directory",
    ]
    with pytest.raises(errors.InputError, match=r"Received: .*notes\.jpg: not a picture"):
        exported.run(folder, [pictures[0], text], lambda: None)


def test_a_format_needs_a_known_name_and_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.InputError, match=r"one of saved_model, onnx, litert\. Received: h5"):
        exported.format_named("h5")
    monkeypatch.setattr(exported, "find_spec", lambda name: None)
    assert exported.format_named("saved_model") == exported.FORMATS["saved_model"]
    message = (
        r"Received: no onnx and no onnxruntime and no tf2onnx\. .*pip install 'ladder\[export\]'"
    )
    with pytest.raises(errors.InputError, match=message):
        exported.format_named("onnx")
