"""Names the classes of pictures, and prints a line of JSON for each.

Such as {"path": "a.jpg", "label": "cat", "confidence": 0.9, "probabilities": {"cat": 0.9, …}}. What
cannot be read is named on stderr with the reason, and the exit status is then 1.
"""
# `ladder export` copies this program. It runs without Ladder, on Pillow, numpy and a runtime.

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
BATCH_SIZE = 32  # changes only memory and speed

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def main() -> int:
    """Predicts the pictures that the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument(
        "pictures", metavar="PICTURE", nargs="+", help="a file; @LIST stands for a file's lines"
    )
    paths = parser.parse_args().pictures
    class_names = json.loads((FOLDER / "class_names.json").read_text(encoding="utf-8"))
    image_size, network = load(FOLDER)
    failed = False
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), BATCH_SIZE):
            batch = paths[start : start + BATCH_SIZE]
            results = list(pool.map(decode, batch, [image_size] * len(batch)))
            images = [pixels for pixels in results if not isinstance(pixels, str)]
            outputs = iter(network(np.stack(images).astype(np.float32)) if images else ())
            for path, result in zip(batch, results, strict=True):
                if isinstance(result, str):
                    failed = True
                    print(ascii(path)[1:-1], result, sep=": ", file=sys.stderr)
                else:
                    print(json.dumps(record(path, class_names, next(outputs))), flush=True)
    return int(failed)


def decode(path: str, image_size: int) -> NDArray[np.uint8] | str:
    """Returns the pixels (image_size, image_size, 3) of a file, or why there are none."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))  # where Python leaves it out: python -I
    from ladder.pictures import images

    return images.decode_file(Path(path), image_size)


def record(path: str, class_names: list[str], probabilities: NDArray[np.float32]) -> dict[str, Any]:
    """Returns what is said of a picture, as JSON has it; of equally probable classes the first."""
    numbers = [float(str(probability)) for probability in probabilities]  # the fewest digits
    label = int(probabilities.argmax())
    return {
        "path": path,
        "label": class_names[label],
        "confidence": numbers[label],
        "probabilities": dict(zip(class_names, numbers, strict=True)),
    }


def load(folder: Path) -> tuple[int, Network]:
    """Returns the side of the network's pictures in pixels, and the network in this folder.

    It takes (n, S, S, 3) in [0, 255] and gives the probabilities (n, k).
    """
    if (folder / "model.onnx").is_file():
        return load_onnx(folder / "model.onnx")
    if (folder / "model.tflite").is_file():
        return load_litert(folder / "model.tflite")
    return load_saved_model(folder / "saved_model")


def load_onnx(path: Path) -> tuple[int, Network]:
    """Returns the side of the pictures and the network of an ONNX file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (pixels,) = session.get_inputs()
    return int(pixels.shape[1]), lambda images: session.run(None, {pixels.name: images})[0]


def load_litert(path: Path) -> tuple[int, Network]:
    """Returns the side of the pictures and the network of a LiteRT file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=os.cpu_count())
    signature = interpreter.get_signature_runner()
    ((name, pixels),) = signature.get_input_details().items()

    def network(images: NDArray[np.float32]) -> NDArray[np.float32]:
        (probabilities,) = signature(**{name: images}).values()
        output: NDArray[np.float32] = probabilities
        return output

    return int(pixels["shape"][1]), network


def load_saved_model(path: Path) -> tuple[int, Network]:
    """Returns the side of the pictures and the network of TensorFlow's SavedModel."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow

    model = tensorflow.saved_model.load(str(path))
    ((_, pixels),) = model.signatures["serving_default"].structured_input_signature[1].items()
    return int(pixels.shape[1]), lambda images: model.serve(images).numpy()


if __name__ == "__main__":
    sys.exit(main())
