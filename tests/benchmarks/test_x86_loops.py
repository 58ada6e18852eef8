"""The inner loop is found by its jump, not taken for the loop around it, and not for one that moves data."""

from __future__ import annotations

from benchmarks.kernels.x86_loops import hottest_loop

LISTING = """
0000000000000000 <pack>:
   0:  vpshufb %ymm1,%ymm2,%ymm3
   4:  jne    0 <pack>

0000000000000010 <gemm_block>:
  10:  vpbroadcastd (%rsi),%zmm0
  14:  vpxord (%rdi,%rax,1),%zmm0,%zmm1
  1a:  vpopcntd %zmm1,%zmm1
  20:  vpopcntd %zmm2,%zmm2
  24:  vpaddd %zmm1,%zmm2,%zmm2
  28:  vmovups %zmm1,(%rdi)
  30:  jne    14 <gemm_block+0x4>
  34:  vpopcntd %zmm1,%zmm1
  38:  jb     10 <gemm_block>
"""


def test_innermost_loop_by_classes() -> None:
    found = hottest_loop(LISTING, ("popcount", "table"))
    assert found == {"logic": 1, "popcount": 2, "add": 1, "move": 1, "scalar": 1, "with a load": 1}


def test_no_loop_does_this_work() -> None:
    assert hottest_loop(LISTING, ("fma",)) is None
