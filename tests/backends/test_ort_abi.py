"""kernels/ort/abi.h against what onnxruntime's own headers say, and against the installed onnxruntime."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import edgebin  # noqa: F401  (before onnxruntime's library)
from edgebin.profile.baselines.programs import onnxruntime_library
from edgebin.resources import resource_dir
from edgebin.targets import load_target

# Measured with offsetof on onnxruntime_c_api.h of onnxruntime 1.21.0 (Debian's libonnxruntime-dev).
MEASURED = {
    "CreateStatus": 0,
    "GetErrorMessage": 2,
    "CreateEnv": 3,
    "CreateSession": 7,
    "Run": 9,
    "CreateSessionOptions": 10,
    "EnableProfiling": 14,
    "SetIntraOpNumThreads": 24,
    "CreateCustomOpDomain": 26,
    "CustomOpDomain_Add": 27,
    "AddCustomOpDomain": 28,
    "CreateTensorWithDataAsOrtValue": 49,
    "GetTensorMutableData": 51,
    "CreateTensorTypeAndShapeInfo": 57,
    "SetTensorElementType": 58,
    "SetDimensions": 59,
    "GetTensorElementType": 60,
    "GetDimensionsCount": 61,
    "GetDimensions": 62,
    "GetSymbolicDimensions": 63,
    "GetTensorShapeElementCount": 64,
    "GetTensorTypeAndShape": 65,
    "CreateCpuMemoryInfo": 69,
    "GetAllocatorWithDefaultOptions": 78,
    "KernelInfoGetAttribute_float": 85,
    "KernelInfoGetAttribute_int64": 86,
    "KernelInfoGetAttribute_string": 87,
    "KernelContext_GetInputCount": 88,
    "KernelContext_GetOutputCount": 89,
    "KernelContext_GetInput": 90,
    "KernelContext_GetOutput": 91,
    "ReleaseStatus": 93,
    "ReleaseSession": 95,
    "ReleaseValue": 96,
    "ReleaseTensorTypeAndShapeInfo": 99,
    "ReleaseSessionOptions": 100,
    "SessionEndProfiling": 110,
    "RegisterCustomOpsLibrary_V2": 228,
    "KernelInfo_GetInputCount": 230,
    "KernelInfo_GetNodeName": 244,
    "KernelInfoGetConstantInput_tensor": 249,
    "ShapeInferContext_GetInputCount": 267,
    "ShapeInferContext_GetInputTypeShape": 268,
    "ShapeInferContext_GetAttribute": 269,
    "ShapeInferContext_SetOutputTypeShape": 270,
    "SetSymbolicDimensions": 271,
    "ReadOpAttr": 272,
    "KernelContext_ParallelFor": 274,
}


def test_every_function_has_its_slot_asserted_and_it_is_the_measured_one() -> None:
    text = (resource_dir("kernels") / "ort" / "abi.h").read_text()
    table = text[text.index("typedef struct {\n") : text.index("} OrtApi;")]
    functions = set(re.findall(r"\(\*(\w+)\)\(", table)) - {"part"}
    asserted = {name: int(slot) for name, slot in re.findall(r"ORT_ASSERT_SLOT\((\w+), (\d+)\);", text)}
    assert set(asserted) == functions
    assert asserted == {name: slot for name, slot in MEASURED.items() if name in functions}


def test_one_call_in_c_registers_the_library(ort_library: Path, tmp_path: Path) -> None:
    """`RegisterCustomOpsLibrary_V2`, as a program without Python calls it, in the installed library."""
    runtime = ctypes.CDLL(str(onnxruntime_library(load_target("x86-64"))))
    runtime.OrtGetApiBase.restype = ctypes.POINTER(ctypes.c_void_p)
    get_api = ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_void_p), ctypes.c_uint32)(runtime.OrtGetApiBase()[0])
    api = get_api(21)

    def function(name: str, result: type, *arguments: type):
        return ctypes.CFUNCTYPE(result, *arguments)(api[MEASURED[name]])

    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    options = pointer()
    assert function("CreateSessionOptions", pointer, pointer)(ctypes.byref(options)) is None
    register = function("RegisterCustomOpsLibrary_V2", pointer, pointer, text)
    assert register(options, str(ort_library).encode()) is None
    status = register(options, str(tmp_path / "gone.so").encode())
    assert b"gone.so" in function("GetErrorMessage", text, pointer)(status)
    function("ReleaseStatus", None, pointer)(status)
    function("ReleaseSessionOptions", None, pointer)(options)
