"""The kernel calls to measure: one TOML file per model, and `issue.toml` with the shapes that are quoted."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from edgebin.errors import InputError
from edgebin.resources import resource_dir

FOLDER = Path(__file__).with_name("shapes")

# What the numbers of `dims` are, as kernels/probe/call.c has them.
DIMS = {
    "b1_gemm": ("m", "k", "n"),
    "b1_gemm_ternary": ("m", "k", "n"),
    "f32_gemm": ("m", "k", "n"),
    "w1_gemm": ("m", "k", "n"),
    "w1i8_gemm": ("m", "k", "n"),
    "rows": ("m", "n"),
    "rows_i32": ("m", "n"),
    "quantize": ("m", "n"),
    "layernorm": ("m", "n"),
    "b1_conv": ("h", "w", "c", "n", "kernel", "dilation", "groups"),
    "f32_stencil": ("h", "w", "c"),
    "b1_attention": ("heads", "head_dim", "nq", "nkv", "maps"),
    "b1_relative_attention": ("heads", "head_dim", "nq", "nkv"),
    "b1_biased_attention": ("heads", "head_dim", "nq", "nkv"),
}
# Operations of the probe that another operation's kernel does.
_KERNELS = {"b1_gemm_ternary": "b1_gemm", "rows_i32": "rows"}
_EPILOGUE = re.compile(r'^EB_EPILOGUE\("([^"]+)", "([^"]+)"\)$', re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """Some functions of a kernel, told apart by symbol: what they do is a product of `shape` [m, k, n] per head."""

    shape: tuple[int, int, int]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """One kernel call. `count`: how often the network makes it. `out`: its epilogue, by name or spelt out."""

    op: str
    dims: tuple[int, ...]
    out: str
    count: int = 1
    part: Part | None = None

    @property
    def kernel(self) -> str:
        """The operation of `kernels/variants.inc` that does it."""
        return _KERNELS.get(self.op, self.op)

    @property
    def sizes(self) -> dict[str, int]:
        """`dims` by name."""
        return dict(zip(DIMS[self.op], self.dims, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """[m, k, n] of what is a product, else `dims`."""
        if self.part:
            return self.part.shape
        sizes = self.sizes
        if self.op == "b1_conv":
            return sizes["h"] * sizes["w"], sizes["kernel"] ** 2 * sizes["c"] // sizes["groups"], sizes["n"]
        return self.dims


@cache
def epilogue_names() -> dict[str, str]:
    """What each name of `kernels/probe/epilogues.inc` is spelt out."""
    return dict(_EPILOGUE.findall((resource_dir("kernels") / "probe" / "epilogues.inc").read_text()))


def shape_files() -> list[str]:
    """The names to choose from."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_shapes(name: str) -> list[Call]:
    """The calls of one shape file.

    Raises:
        InputError: there is no such file.
    """
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise InputError(f"no shapes of `{name}`", hint=f"there are: {', '.join(shape_files())}")
    content = tomllib.loads(path.read_text())
    return [_call(entry) for entry in content["call"]] + [_part(entry) for entry in content.get("part", ())]


def write_shapes(name: str, calls: list[Call], comment: str) -> None:
    """Writes a shape file, one line per call."""
    rows = []
    for call in calls:
        rows.append(f'  {{ op = "{call.op}", dims = {list(call.dims)}, out = "{call.out}", count = {call.count} }},')
    (FOLDER / f"{name}.toml").write_text("\n".join([f"# {comment}", "call = [", *rows, "]", ""]))


def _call(entry: dict[str, Any]) -> Call:
    return Call(entry["op"], tuple(entry["dims"]), entry["out"], entry.get("count", 1))


def _part(entry: dict[str, Any]) -> Call:
    part = Part(tuple(entry["shape"]), tuple(entry["functions"]))
    return Call(entry["op"], tuple(entry["dims"]), "int", part=part)
