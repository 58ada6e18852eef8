from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from edgebin.kernels.build import build_shared_library
from edgebin.kernels.select import host_paths
from edgebin.targets import load_target
from edgebin.toolchain.compiler import Compiler, zig_compiler
from tests.kernels.abi import Kernels


@pytest.fixture(scope="session")
def host_compiler() -> Compiler:
    return zig_compiler(load_target("x86-64"))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, host_compiler: Compiler) -> ctypes.CDLL:
    folder: Path = tmp_path_factory.mktemp("kernels")
    return ctypes.CDLL(str(build_shared_library(folder / "kernels.so", host_compiler)))


@pytest.fixture
def scalar(library: ctypes.CDLL) -> Kernels:
    return Kernels(library, "scalar")


@pytest.fixture(params=host_paths())
def kernels(request: pytest.FixtureRequest, library: ctypes.CDLL) -> Kernels:
    return Kernels(library, request.param)
