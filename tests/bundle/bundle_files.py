"""A manifest and contents from which a test makes a bundle, sound or not."""

from __future__ import annotations

import numpy as np

from edgebin.bundle import Manifest, ModelInfo, Operation, TensorSpec, Tolerance, npz_bytes
from edgebin.targets import load_target


def manifest(target_id: str = "rpi4b") -> Manifest:
    target = load_target(target_id)
    return Manifest(
        edgebin="0.1.0",
        backend="tvm",
        runtimes={"TVM": "0.27.0.post1", "apache-tvm-ffi": "0.1.14.post1"},
        target=target,
        features=target.features,
        glibc="2.27",
        kernel_path="neon",
        model=ModelInfo(id="tiny", config={"width": 8}, source_sha256="0" * 64),
        batch=4,
        inputs=(TensorSpec(name="pixel_values", dtype="float32", shape=(4, 8)),),
        outputs=(TensorSpec(name="logits", dtype="float32", shape=(4, 5)),),
        tolerance=Tolerance(atol=1e-5, rtol=1e-4),
        operations=(Operation(function="fused_matmul", kind="fp32", nodes=("MatMul_0",), macs=160, bytes_=448),),
    )


def contents() -> dict[str, bytes]:
    """Every member that must be there. The programs are not: these bundles are written and read, never run."""
    return {
        "module.so": b"\x7fELF module",
        "runner": b"\x7fELF runner",
        "lib/libtvm_runtime.so": b"\x7fELF runtime" * 1000,
        "lib/libtvm_ffi.so": b"\x7fELF ffi",
        "golden/inputs.npz": npz_bytes({"pixel_values": np.zeros((2, 8), np.float32)}),
        "golden/outputs.npz": npz_bytes({"logits": np.zeros((2, 5), np.float32)}),
    }
