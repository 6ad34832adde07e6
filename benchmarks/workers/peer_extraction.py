"""The same bases in PyTorch and OpenVINO, in an environment of their own: no import of ladder."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.workers import channel, repetitions
from benchmarks.workers.networks import NETWORKS, layers


class Base(torch.nn.Module):  # type: ignore[misc]  # torch is not in the environment of mypy
    """Raw pixels (n, S, S, 3) uint8 → features float32: (n, h, w, channels), pooled (n, channels).

    Inside they lie in memory as channels last.
    """

    def __init__(self, name: str, image_size: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.layers = sequence(NETWORKS[name].layers(), image_size)
        self.to(dtype=dtype, memory_format=torch.channels_last)
        self.eval()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns the features; a permuted (n, S, S, 3) lies in memory as channels last."""
        scaled = pixels.permute(0, 3, 1, 2).float() / 255
        features = self.layers(scaled.to(self.dtype))
        return (features.permute(0, 2, 3, 1) if features.ndim == 4 else features).float()


class Residual(torch.nn.Module):  # type: ignore[misc]
    """Layers whose input is added to their output."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns the sum."""
        return inputs + self.inner(inputs)


class AveragePooling(torch.nn.Module):  # type: ignore[misc]
    """The mean of all places."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Returns (n, channels)."""
        return inputs.mean((2, 3))


def sequence(stack: Iterable[layers.Layer], size: int) -> torch.nn.Sequential:
    """Returns torch's modules for layers, with their weights, for pictures of `size` pixels."""
    modules: list[torch.nn.Module] = []
    for layer in stack:
        match layer:
            case layers.Convolution():
                modules += convolution(layer, size)
            case layers.Normalization():
                modules.append(normalization(layer))
            case layers.Relu(highest=None):
                modules.append(torch.nn.ReLU(inplace=True))
            case layers.Relu():
                modules.append(torch.nn.Hardtanh(0.0, layer.highest, inplace=True))
            case layers.MaxPooling():
                modules.append(torch.nn.MaxPool2d(2))
            case layers.AveragePooling():
                modules.append(AveragePooling())
            case layers.Residual():
                modules.append(Residual(sequence(layer.layers, size)))
        size = layers.size_after(size, layer)
    return torch.nn.Sequential(*modules)


def convolution(layer: layers.Convolution, size: int) -> list[torch.nn.Module]:
    """Returns a convolution, and before it the zeros that are not the same on both sides.

    A kernel (size, size, inputs, outputs) is (outputs, inputs, size, size) for torch.
    """
    kernel_size, _, inputs, outputs = layer.kernel.shape
    before, after = layers.padding(size, kernel_size, layer.stride)
    channels = {"in_channels": inputs, "out_channels": inputs if layer.depthwise else outputs}
    module = torch.nn.Conv2d(
        **channels,
        kernel_size=kernel_size,
        stride=layer.stride,
        padding=before if before == after else 0,
        groups=inputs if layer.depthwise else 1,
        bias=layer.bias is not None,
    )
    order = (2, 3, 0, 1) if layer.depthwise else (3, 2, 0, 1)
    copy(module.weight, layer.kernel.transpose(order))
    if layer.bias is not None:
        copy(module.bias, layer.bias)
    if before == after:
        return [module]
    return [torch.nn.ZeroPad2d((before, after, before, after)), module]


def normalization(layer: layers.Normalization) -> torch.nn.Module:
    """Returns a batch normalisation with its statistics."""
    module = torch.nn.BatchNorm2d(len(layer.scale), eps=layer.epsilon)
    copy(module.weight, layer.scale)
    copy(module.bias, layer.offset)
    copy(module.running_mean, layer.mean)
    copy(module.running_var, layer.variance)
    return module


def copy(target: torch.Tensor, values: NDArray[np.float32]) -> None:
    """Sets a tensor, in place, to values of its shape."""
    with torch.no_grad():
        target.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def parameters(model: torch.nn.Module) -> int:
    """Returns how many weights there are, with the statistics of batch normalisations."""
    counts = (
        values.numel() for values in model.state_dict().values() if values.is_floating_point()
    )
    return sum(counts)


def in_torch(request: dict[str, Any]) -> tuple[repetitions.Extract, Mapping[str, Any]]:
    """Returns PyTorch's extraction, eager or compiled, and its details."""
    torch.set_num_threads(repetitions.cores())
    dtype = {"bfloat16": torch.bfloat16, "float32": torch.float32}[request["precision"]]
    model = Base(request["base"], request["image_size"], dtype)
    details = {
        "arithmetic": request["precision"],
        "threads": torch.get_num_threads(),
        "parameters": parameters(model),
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


def in_openvino(request: dict[str, Any]) -> tuple[repetitions.Extract, Mapping[str, Any]]:
    """Returns OpenVINO's extraction, converted from torch's float32 model, and its details.

    The `mode` is OpenVINO's hint. "latency" runs one batch at a time on all cores, "throughput" as
    many batches side by side as OpenVINO finds best.
    """
    import openvino

    size, batch_size = request["image_size"], request["batch_size"]
    torch_model = Base(request["base"], size, torch.float32)
    example = torch.from_numpy(repetitions.pictures(batch_size, size))
    shape = [batch_size, size, size, 3]
    model = openvino.convert_model(torch_model, example_input=example, input=shape)
    properties = {
        "INFERENCE_PRECISION_HINT": {"bfloat16": "bf16", "float32": "f32"}[request["precision"]],
        "PERFORMANCE_HINT": request["mode"].upper(),
        "INFERENCE_NUM_THREADS": str(repetitions.cores()),
    }
    compiled = openvino.Core().compile_model(model, "CPU", properties)
    arithmetic = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    details = {
        "arithmetic": {"bf16": "bfloat16", "f32": "float32"}.get(arithmetic, arithmetic),
        "threads": int(compiled.get_property("INFERENCE_NUM_THREADS")),
        "streams": int(compiled.get_property("NUM_STREAMS")),
        "parameters": parameters(torch_model),
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
    return details, repetitions.repetition(extract, request)


if __name__ == "__main__":
    channel.serve(start)
