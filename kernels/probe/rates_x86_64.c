/* Instructions of x86-64, 256-bit (ymm) and 512-bit (zmm). Independent ones write registers 0 to 11 in turn and read 14
 * and 15; dependent ones read and write register 0. */
#include "rates.h"

#if defined(__x86_64__)

#define TURNS "0,1,2,3,4,5,6,7,8,9,10,11"
#define CLOBBERED                                                                                                     \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15", \
      "cc", "memory"

/* Four rounds of 12 instructions; d is the register in turn. */
#define LOOP(text)                                                            \
  __asm__ volatile(                                                           \
      "vpxor %%xmm14, %%xmm14, %%xmm14\nvpxor %%xmm15, %%xmm15, %%xmm15\n"    \
      ".p2align 5\n1:\n.irp d," TURNS "," TURNS "," TURNS "," TURNS "\n" text \
      "\n.endr\nsubq $1, %0\njne 1b\nvzeroupper\n"                            \
      : "+r"(loops)                                                           \
      : "r"(memory)                                                           \
      : CLOBBERED)

#define BINARY(name, op, r)                                 \
  INDEPENDENT(name, op " %%" r "14, %%" r "15, %%" r "\\d") \
  DEPENDENT(name, op " %%" r "14, %%" r "0, %%" r "0")
#define UNARY(name, op, r)                       \
  INDEPENDENT(name, op " %%" r "15, %%" r "\\d") \
  DEPENDENT(name, op " %%" r "0, %%" r "0")
#define ACCUMULATE(name, op, r)                             \
  INDEPENDENT(name, op " %%" r "14, %%" r "15, %%" r "\\d") \
  DEPENDENT(name, op " %%" r "14, %%" r "15, %%" r "0")

/* Of two equal registers VPXOR is no work at all: hence 14 and 15. */
BINARY(vpxor_ymm, "vpxor", "ymm")
BINARY(vpaddb_ymm, "vpaddb", "ymm")
BINARY(vpshufb_ymm, "vpshufb", "ymm")
ACCUMULATE(vfmadd_ymm, "vfmadd231ps", "ymm")
INDEPENDENT(load_ymm, "vmovups 64*\\d(%1), %%ymm\\d")
INDEPENDENT(store_ymm, "vmovups %%ymm\\d, 64*\\d(%1)")
BINARY(vpxor_zmm, "vpxorq", "zmm")
BINARY(vpaddb_zmm, "vpaddb", "zmm")
BINARY(vpshufb_zmm, "vpshufb", "zmm")
UNARY(vpopcntd_zmm, "vpopcntd", "zmm")
ACCUMULATE(vfmadd_zmm, "vfmadd231ps", "zmm")
INDEPENDENT(load_zmm, "vmovups 64*\\d(%1), %%zmm\\d")
INDEPENDENT(store_zmm, "vmovups %%zmm\\d, 64*\\d(%1)")

#define ENTRY(name, feature) {#name, feature, independent_##name, dependent_##name}
#define WITHOUT_LATENCY(name, feature) {#name, feature, independent_##name, 0}

const eb_instruction kInstructions[] = {
    ENTRY(vpxor_ymm, "avx2"),
    ENTRY(vpaddb_ymm, "avx2"),
    ENTRY(vpshufb_ymm, "avx2"),
    ENTRY(vfmadd_ymm, "fma"),
    WITHOUT_LATENCY(load_ymm, "avx2"),
    WITHOUT_LATENCY(store_ymm, "avx2"),
    ENTRY(vpxor_zmm, "avx512f"),
    ENTRY(vpaddb_zmm, "avx512bw"),
    ENTRY(vpshufb_zmm, "avx512bw"),
    ENTRY(vpopcntd_zmm, "avx512_vpopcntdq"),
    ENTRY(vfmadd_zmm, "avx512f"),
    WITHOUT_LATENCY(load_zmm, "avx512f"),
    WITHOUT_LATENCY(store_zmm, "avx512f"),
    {0, 0, 0, 0},
};

/* A register is added: some processors add constants while they rename registers, in no time. */
void eb_add_chain(int64_t loops) {
  uint64_t sum = 0, one = 1;
  __asm__ volatile(".p2align 5\n1:\n.rept 48\naddq %2, %1\n.endr\nsubq $1, %0\njne 1b\n"
                   : "+r"(loops), "+r"(sum)
                   : "r"(one)
                   : "cc");
}

#endif
