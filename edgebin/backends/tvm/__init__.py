"""The TVM backend: kernel calls become calls of our C kernels, everything else is compiled by TVM."""

from edgebin.backends.tvm.build import CompiledModule, build_module

__all__ = ["CompiledModule", "build_module"]
