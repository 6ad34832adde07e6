"""The same VGG16 in PyTorch and OpenVINO, in an environment of their own: no import of ladder."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.workers import channel, vgg16


class Vgg16(torch.nn.Module):  # type: ignore[misc]  # torch is not in the environment of mypy
    """Raw pixels (n, S, S, 3) uint8 → features (n, h, w, 512) float32, channels last inside."""

    def __init__(self, weights: vgg16.Weights, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        layers: list[torch.nn.Module] = []
        kernels = iter(weights)
        for block in vgg16.BLOCKS:
            for _ in block:
                layers += [convolution(*next(kernels)), torch.nn.ReLU(inplace=True)]
            layers.append(torch.nn.MaxPool2d(2))
        self.layers = torch.nn.Sequential(*layers)
        self.to(dtype=dtype, memory_format=torch.channels_last)
        self.eval()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns the features; a permuted (n, S, S, 3) lies in memory as channels last."""
        scaled = pixels.permute(0, 3, 1, 2).float() / 255
        return self.layers(scaled.to(self.dtype)).permute(0, 2, 3, 1).float()


def convolution(kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> torch.nn.Conv2d:
    """Returns a layer with a kernel (3, 3, in, out), which torch wants as (out, in, 3, 3)."""
    layer = torch.nn.Conv2d(kernel.shape[2], kernel.shape[3], 3, padding=1)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer


def in_torch(request: dict[str, Any]) -> tuple[vgg16.Extract, Mapping[str, Any]]:
    """Returns PyTorch's extraction, eager or compiled, and its details."""
    torch.set_num_threads(vgg16.cores())
    dtype = {"bfloat16": torch.bfloat16, "float32": torch.float32}[request["precision"]]
    model = Vgg16(vgg16.weights(), dtype)
    details = {
        "arithmetic": request["precision"],
        "threads": torch.get_num_threads(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "versions": {"torch": torch.__version__},
    }
    run: Any = model
    if request["mode"] == "compiled":
        run = torch.compile(model, dynamic=False, options={"freezing": True})

    def extract(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch_size = request["batch_size"]
        with torch.inference_mode():
            parts = [run(batch).numpy() for batch in torch.from_numpy(pictures).split(batch_size)]
        return np.concatenate(parts)

    return extract, details


def in_openvino(request: dict[str, Any]) -> tuple[vgg16.Extract, Mapping[str, Any]]:
    """Returns OpenVINO's extraction, converted from torch's float32 model, and its details.

    The `mode` is OpenVINO's hint. "latency" runs one batch at a time on all cores, "throughput" as
    many batches side by side as OpenVINO finds best.
    """
    import openvino

    size, batch_size = request["image_size"], request["batch_size"]
    torch_model = Vgg16(vgg16.weights(), torch.float32)
    example = torch.from_numpy(vgg16.pictures(batch_size, size))
    shape = [batch_size, size, size, 3]
    model = openvino.convert_model(torch_model, example_input=example, input=shape)
    properties = {
        "INFERENCE_PRECISION_HINT": {"bfloat16": "bf16", "float32": "f32"}[request["precision"]],
        "PERFORMANCE_HINT": request["mode"].upper(),
        "INFERENCE_NUM_THREADS": str(vgg16.cores()),
    }
    compiled = openvino.Core().compile_model(model, "CPU", properties)
    arithmetic = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    details = {
        "arithmetic": {"bf16": "bfloat16", "f32": "float32"}.get(arithmetic, arithmetic),
        "threads": int(compiled.get_property("INFERENCE_NUM_THREADS")),
        "streams": int(compiled.get_property("NUM_STREAMS")),
        "parameters": sum(parameter.numel() for parameter in torch_model.parameters()),
        "versions": {"openvino": openvino.__version__, "torch": torch.__version__},
    }
    output = compiled.output(0).shape

    def extract(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        features = np.empty((len(pictures), *output[1:]), np.float32)
        queue = openvino.AsyncInferQueue(compiled)

        def keep(inference: Any, start: int) -> None:
            features[start : start + batch_size] = inference.get_output_tensor(0).data

        queue.set_callback(keep)
        for start in range(0, len(pictures), batch_size):
            queue.start_async([pictures[start : start + batch_size]], start)
        queue.wait_all()
        return features

    return extract, details


def start(request: dict[str, Any]) -> tuple[Mapping[str, Any], channel.Repetition]:
    """Returns the details of this contestant, and its repetition."""
    build = in_openvino if request["framework"] == "openvino" else in_torch
    extract, details = build(request)
    return details, vgg16.repetition(extract, request)


if __name__ == "__main__":
    channel.serve(start)
