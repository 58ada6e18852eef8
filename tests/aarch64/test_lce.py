"""Files in Larq Compute Engine's format, for which there is no aarch64 wheel of LCE, in the runtimes that have one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.backends.emulated import TFLITE_RUNTIMES, Array, Job, run_emulated
from edgebin.targets import load_target
from edgebin.toolchain.userland import Userland
from tests.aarch64.conftest import Libraries
from tests.tflite.lce import SAME, Conv, Values, conv_model, expected, pack
from tests.tflite.model import Model

CONVS = {
    "linear": Conv(384, 40, size=(1, 14)),
    "odd channels": Conv(33, 7),
    "short and to bits": Conv(64, 197, output="int32"),
    "3x3, stride 2, zeros": Conv(64, 24, kernel=(3, 3), stride=(2, 2), padding=SAME),
    "3x3, ones, to bits": Conv(96, 40, kernel=(3, 3), padding=SAME, pad_value=1, output="int32"),
    "groups, batch 2": Conv(128, 16, kernel=(3, 3), groups=2, batch=2, activation=1),
    "dilation, to bytes": Conv(72, 20, kernel=(3, 3), dilation=(2, 2), size=(9, 8), output="int8"),
}


def quantize_model(x: Array) -> bytes:
    model = Model()
    bits = model.tensor("bits", (*x.shape[:-1], -(-x.shape[-1] // 32)), "int32")
    model.custom("LceQuantize", [model.input("x", x.shape)], [bits])
    model.outputs = [bits]
    return model.write()


def unusual_values() -> Array:
    """[6, 200]: a whole block of 128 bits, in which LCE's own aarch64 code takes the sign bit as it is, and a rest."""
    patterns = np.array(
        [0x80000000, 0x00000000, 0x7FC00000, 0xFFC00000, 0x80000001, 0x00000001, 0xFF800000, 0x7F800000, 0xBF800000],
        np.uint32,
    )
    return np.random.default_rng(0).choice(patterns, (6, 200)).view(np.float32)


@pytest.mark.parametrize("target_id", ["rpi4b", "rpi5"])
def test_lce_files(arm64: Userland, libraries: Libraries, target_id: str, tmp_path: Path) -> None:
    library = libraries(target_id)["tflite"]
    x = unusual_values()
    contents = {"unusual values": quantize_model(x)} | {
        name: conv_model(case, Values.of(case)) for name, case in CONVS.items()
    }
    inputs = {"unusual values": x} | {name: Values.of(case).x for name, case in CONVS.items()}
    jobs = []
    for index, (name, content) in enumerate(contents.items()):
        (tmp_path / f"{index}.tflite").write_bytes(content)
        jobs += [
            Job(runtime, tmp_path / f"{index}.tflite", {"x": inputs[name]}, library) for runtime in TFLITE_RUNTIMES
        ]
    outputs = run_emulated(load_target(target_id), jobs, tmp_path / "run")
    for index, name in enumerate(contents):
        for runtime, found in zip(TFLITE_RUNTIMES, outputs[index * len(TFLITE_RUNTIMES) :], strict=False):
            what = f"{name} in {runtime}"
            assert "error" not in found, f"{what}: {found}"
            if name == "unusual values":
                # TFLite has the processor take numbers below the normal ones for zero while it runs a graph.
                negative = x <= -np.finfo(np.float32).tiny
                np.testing.assert_array_equal(found["bits"], pack(negative), err_msg=what)
            elif CONVS[name].output == "int32":
                np.testing.assert_array_equal(found["y"], expected(CONVS[name], Values.of(CONVS[name])), err_msg=what)
            else:
                wanted = expected(CONVS[name], Values.of(CONVS[name]))
                # Floats are rounded once more than float64; of bytes, halves may go either way.
                wanted, atol = (np.clip(wanted, -128, 127), 0.5001) if CONVS[name].output == "int8" else (wanted, 1e-5)
                np.testing.assert_allclose(found["y"], wanted, rtol=0, atol=atol, err_msg=what)
