/* Popcounts of a register tile with UDOT, 4 rows x 16 channels, 32 bits of k per lane.
 *
 * EOR, CNT, UDOT with ones per 128 bit products. UDOT adds the four byte counts of a channel into its 32-bit sum, so
 * nothing overflows and nothing is left to reduce; and sums may begin with what an epilogue wants to have added.
 *
 * Layout. A panel of weights is [k / 32][16 channels] words of 32 bits. Rows of a are expanded once per block of rows,
 * [k / 32][4 rows][4 times the word of 32 bits]. One LD1 of four registers each is a step of k. LD1R in the loop would
 * take the vector pipes for 2 of 26 cycles.
 *
 * Registers. v16-v19 weights of a step, v20-v23 its rows, v24-v30 products on their way, v31 ones; sixteen of the
 * others the sums [row][4 channels].
 *
 * Limits. 16 EOR, 16 CNT and 16 UDOT make 2048 products in 24 cycles of Cortex-A76: 85.3 per cycle. Byte sums (EOR,
 * CNT, ADD on words of 16 bits, UADALP every 31 steps) take the same in the loop, and expanded rows of twice the size,
 * of which 128 bits take three cycles to store. */
#ifndef EDGEBIN_B1_GEMM_NEONDOT_TILE_H
#define EDGEBIN_B1_GEMM_NEONDOT_TILE_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#include "../internal/compiler.h"

#define STEP_BYTES 64 /* of four expanded rows and of a panel, per 32 bits of k */

/* `bytes` bytes, a multiple of 8, of 4 rows -> [bytes / 4][4][16] bytes. Rows from `rows` on repeat the last one. */
EB_INLINE void expand_rows(const uint8_t* a, size_t row_bytes, size_t rows, size_t bytes, uint8_t* to) {
  const uint8_t* row[4];
  for (size_t r = 0; r < 4; r++) row[r] = a + EB_MIN(r, rows - 1) * row_bytes;
  for (size_t at = 0; at < bytes; at += 8, to += 2 * STEP_BYTES) {
    EB_UNROLL for (int r = 0; r < 4; r++) {
      const uint32x2_t words = vreinterpret_u32_u8(vld1_u8(row[r] + at));
      vst1q_u8(to + 16 * r, vreinterpretq_u8_u32(vdupq_lane_u32(words, 0)));
      vst1q_u8(to + STEP_BYTES + 16 * r, vreinterpretq_u8_u32(vdupq_lane_u32(words, 1)));
    }
  }
}

/* clang-format off */
#define EOR(t, x, w) "eor v" #t ".16b, v" #x ".16b, v" #w ".16b\n"
#define CNT(t) "cnt v" #t ".16b, v" #t ".16b\n"
#define DOT(i, t) "udot %[s" #i "].4s, v" #t ".16b, v31.16b\n"
#define HALF(x, s0, s1, s2, s3, t0, t1, t2, t3)                          \
  EOR(t0, x, 16) EOR(t1, x, 17) EOR(t2, x, 18) EOR(t3, x, 19)            \
  CNT(t0) CNT(t1) CNT(t2) CNT(t3) DOT(s0, t0) DOT(s1, t1) DOT(s2, t2) DOT(s3, t3)
#define STEP                                                                                   \
  "ld1 {v16.16b-v19.16b}, [%[w]], #64\n ld1 {v20.16b-v23.16b}, [%[a]], #64\n"                  \
  HALF(20, 0, 1, 2, 3, 24, 25, 26, 27) HALF(21, 4, 5, 6, 7, 28, 29, 30, 20)                    \
  HALF(22, 8, 9, 10, 11, 24, 25, 26, 27) HALF(23, 12, 13, 14, 15, 28, 29, 30, 21)
#define START(s0, s1, s2, s3)                                                                \
  "ldp %q[s" #s0 "], %q[s" #s1 "], [%[start]]\n ldp %q[s" #s2 "], %q[s" #s3 "], [%[start], #32]\n" \
  "add %[start], %[start], %[stride]\n"
#define SUM(i) [s##i] "=&w"(sum[(i) / 4][(i) % 4])
/* clang-format on */

/* sum = start + counts of `steps` steps of 32 bits, an even number. start: [16] for all rows if stride_bytes is 0, else
 * [4][16]. Loads each register anew: a load is cheaper than a copy. */
EB_INLINE void count_tile(const uint8_t* a, const uint8_t* w, size_t steps, const uint32_t* start, size_t stride_bytes,
                          uint32x4_t sum[4][4]) {
  __asm__("movi v31.16b, #1\n" START(0, 1, 2, 3) START(4, 5, 6, 7) START(8, 9, 10, 11)
              START(12, 13, 14, 15) "1:\n" STEP "subs %[steps], %[steps], #2\n" STEP "b.ne 1b\n"
          : [a] "+r"(a), [w] "+r"(w), [steps] "+r"(steps), [start] "+r"(start), SUM(0), SUM(1), SUM(2), SUM(3), SUM(4),
            SUM(5), SUM(6), SUM(7), SUM(8), SUM(9), SUM(10), SUM(11), SUM(12), SUM(13), SUM(14), SUM(15)
          : [stride] "r"(stride_bytes)
          : "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",
            "v31", "cc", "memory");
}

#undef EOR
#undef CNT
#undef DOT
#undef HALF
#undef STEP
#undef SUM
#undef START

#endif
