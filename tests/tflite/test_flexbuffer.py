"""The reader of options, on what Python's flatbuffers writes and on what nobody should."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flatbuffers import flexbuffers

from edgebin.backends.tflite.writer import flexbuffer
from edgebin.resources import resource_dir
from edgebin.toolchain.compiler import Compiler

SOURCE = resource_dir("kernels") / "tflite" / "flexbuffer.c"
OK, ABSENT, MALFORMED = range(3)
ROUNDS = 30_000
OPTIONS = {"k": 384, "pool": 1, "operands": "scale bias", "results": "out", "epsilon": 1e-5}


class Reader:
    """eb_flex_map and its functions."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library

    def value(self, content: bytes, key: str, kind: str) -> Any:
        """The value, or the status that says why there is none."""
        map_ = (ctypes.c_size_t * 8)()
        self.content = ctypes.create_string_buffer(content, len(content))
        if status := self.library.eb_flex_open(map_, self.content, ctypes.c_size_t(len(content))):
            return f"status {status}"
        value = {"int": ctypes.c_int64, "float": ctypes.c_float, "text": ctypes.c_char_p}[kind]()
        if status := getattr(self.library, f"eb_flex_{kind}")(map_, key.encode(), ctypes.byref(value)):
            return f"status {status}"
        return value.value


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, compiler: Compiler) -> Reader:
    output = tmp_path_factory.mktemp("flexbuffer") / "flexbuffer.so"
    compiler.compile([SOURCE], output, ["-shared", "-fPIC", "-std=c11", "-Wall", "-Wextra", "-Werror"])
    return Reader(ctypes.CDLL(str(output)))


@pytest.mark.parametrize("number", [0, 1, -1, 127, -128, 255, 300, -40_000, 2**31 - 1, -(2**31), 2**62, -(2**63)])
def test_integers_of_all_widths(reader: Reader, number: int) -> None:
    assert reader.value(flexbuffer({"a": 1, "k": number, "z": 2}), "k", "int") == number
    assert reader.value(flexbuffer({"k": number}), "k", "int") == number


def test_booleans_and_unsigned_numbers_are_integers(reader: Reader) -> None:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("flag")
        builder.Bool(True)
        builder.Key("large")
        builder.UInt(2**64 - 1)
        builder.Key("unsigned")
        builder.UInt(200)
    content = bytes(builder.Finish())
    assert reader.value(content, "flag", "int") == 1
    assert reader.value(content, "unsigned", "int") == 200
    assert reader.value(content, "large", "int") == f"status {MALFORMED}"


def test_numbers_that_lie_elsewhere(reader: Reader) -> None:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("far")
        builder.IndirectInt(-70_000)
        builder.Key("float")
        builder.IndirectFloat(0.5)
    content = bytes(builder.Finish())
    assert reader.value(content, "far", "int") == -70_000
    assert reader.value(content, "float", "float") == 0.5


@pytest.mark.parametrize("number", [1e-5, 0.0, -2.5, 3.0])
def test_floats(reader: Reader, number: float) -> None:
    assert reader.value(flexbuffer({"epsilon": number}), "epsilon", "float") == ctypes.c_float(number).value


def test_whole_numbers_are_floats_too(reader: Reader) -> None:
    assert reader.value(flexbuffer({"epsilon": 3}), "epsilon", "float") == 3.0


@pytest.mark.parametrize("text", ["", "out", "x" * 300])
def test_text(reader: Reader, text: str) -> None:
    assert reader.value(flexbuffer({"k": 300, "results": text}), "results", "text") == text.encode()


def test_keys_that_are_not_there_are_absent(reader: Reader) -> None:
    for key in ("kk", "", "resul", "zz"):
        assert reader.value(flexbuffer(OPTIONS), key, "int") == f"status {ABSENT}"


def test_values_of_another_type_are_malformed(reader: Reader) -> None:
    for key, kind in (("k", "text"), ("operands", "int"), ("operands", "float"), ("epsilon", "int")):
        assert reader.value(flexbuffer(OPTIONS), key, kind) == f"status {MALFORMED}"


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\x01\x04\x01", b"\0" * 64, b"\xff" * 64, bytes(flexbuffers.Dumps([1, 2]))]
)
def test_what_is_no_map_is_malformed(reader: Reader, content: bytes) -> None:
    assert reader.value(content, "k", "int") == f"status {MALFORMED}"


def test_text_with_a_zero_inside_is_malformed(reader: Reader) -> None:
    assert reader.value(flexbuffer({"results": "a\0b"}), "results", "text") == f"status {MALFORMED}"


def test_damaged_bytes_are_never_read_beyond(tmp_path: Path, compiler: Compiler) -> None:
    content = tmp_path / "options"
    content.write_bytes(flexbuffer(OPTIONS))
    program = tmp_path / "flexbuffer_test"
    checks = ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    compiler.compile([Path(__file__).with_name("flexbuffer_test.c"), SOURCE], program, checks)
    done = subprocess.run([program, content, str(ROUNDS)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    # The damage is such that most of it shows, and not all.
    assert ROUNDS // 20 < int(done.stdout) < ROUNDS
