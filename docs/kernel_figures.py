"""The figures that edgebin's kernels are held to, and where each is found among the rows of the kernel benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """`limit`, `peer` and `aim` as text; `value` picks the numbers out of a row, `best` of which is shown per shape."""

    name: str
    limit: str
    peer: str
    aim: str
    paths: tuple[str, ...]
    core: str
    shapes: tuple[tuple[int, ...], ...]
    out: str
    value: Callable[[Row], float | None]
    part: bool = False

    def reached(self, rows: Iterable[Row]) -> str:
        """The best path's value; from the least to the largest where there are several shapes."""
        best: dict[tuple[int, ...], tuple[float, str]] = {}
        for row in rows:
            if not self._covers(row):
                continue
            value = self.value(row)
            if value is not None:
                shape = tuple(row["shape"])
                best[shape] = max(best.get(shape, (0.0, "")), (value, row["path"]))
        if not best:
            return "not measured"
        values = sorted(best.values())
        path = values[-1][1] if len(self.paths) > 1 else ""
        text = f"{values[0][0]:.1f}" + (f" – {values[-1][0]:.1f}" if len(values) > 1 else "")
        return f"{text} ({path})" if path else text

    def _covers(self, row: Row) -> bool:
        return (
            row["core"] == self.core
            and row["path"] in self.paths
            and tuple(row["shape"]) in self.shapes
            and row["out"] == self.out
            and bool(row["part"]) is self.part
            and (self.part or row["kernel"] == "b1_gemm")
        )


def _per_instruction(row: Row) -> float | None:
    value: float | None = row["bmac_per_instruction"]
    return value


def _per_cycle(row: Row) -> float | None:
    value: float | None = row["bmac_per_cycle_model"]
    return value


def _inner_loop(row: Row) -> float | None:
    loop = row.get("inner_loop")
    return loop["bmac_per_cycle_model"] if loop else None


def _fp32(row: Row) -> float | None:
    value: float | None = row["speedup_vs_ort_fp32"]
    return value


def _int8(row: Row) -> float | None:
    value: float | None = row["speedup_vs_ort_int8"]
    return value


_SQUARE = ((196, 384, 384),)
_DEEP = ((196, 384, 384), (196, 384, 1536), (196, 1536, 384), (49, 512, 2048))
_A72, _A76, _NEON = "cortex-a72", "cortex-a76", ("neon",)
FIGURES = (
    Figure("bMAC/instruction, 196×384×384, fp32 out, neon", "42", "LCE 29.5", "33 (37)", _NEON, _A72, _SQUARE, "f32",
           _per_instruction),
    Figure("the same, bits out", "42", "LCE 31.9", "36 (39)", _NEON, _A72, _SQUARE, "bits", _per_instruction),
    Figure("bMAC/instruction, 3136×64×64, fp32 out, neon", "42", "LCE 9.9, 12.5 indirect", "18 (24)", _NEON, _A72,
           ((3136, 64, 64),), "f32", _per_instruction),
    Figure("bMAC/instruction, 196×64×196 (QKᵀ), packed per call, neon", "42", "LCE 9.5", "18 (24)", _NEON, _A72,
           ((196, 64, 196),), "int", _per_instruction, part=True),
    Figure("A72 model, 196×384×384, fp32 + residual, whole kernel, bMAC/cycle", "49", "LCE 38.5", "40 (45)", _NEON,
           _A72, _SQUARE, "f32+residual", _per_cycle),
    Figure("A53 model, 196×384×384, inner loop, bMAC/cycle", "42.7", "LCE 19–25", "31 (35)",
           ("neon", "neon_inorder"), "cortex-a53", _SQUARE, "f32", _inner_loop),
    Figure("A76 model, 196×384×384, CNT, bits out, bMAC/cycle", "81", "LCE 75", "70 (78)", ("neon", "neondot"), _A76,
           _SQUARE, "bits", _per_cycle),
    Figure("A76 model, 196×384×1536, table look-up, bits out, bMAC/cycle", "113", "LCE 75", "85 (100)", ("neon_tbl",),
           _A76, ((196, 384, 1536),), "bits", _per_cycle),
    Figure("avx512 against onnxruntime fp32, K ≥ 384, fp32 out", "24×", "–", "12× (18×)", ("avx512",), "x86-64", _DEEP,
           "f32", _fp32),
    Figure("the same against onnxruntime int8", "", "–", "3.5× (5×)", ("avx512",), "x86-64", _DEEP, "f32", _int8),
    Figure("avx512 against onnxruntime fp32, 3136×64×256, fp32 out", "", "–", "6× (10×)", ("avx512",), "x86-64",
           ((3136, 64, 256),), "f32", _fp32),
    Figure("avx2 against onnxruntime fp32, K ≥ 384, fp32 out", "24×", "–", "8× (12×)", ("avx2",), "x86-64", _DEEP,
           "f32", _fp32),
)  # fmt: skip
