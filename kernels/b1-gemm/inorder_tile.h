/* Popcounts of a register tile for in-order cores of Armv8.0 (Cortex-A53), 6 rows x 32 channels, 16 bits of k per lane.
 *
 * Layout. Panels as in neon_tile.h. Six rows of a are interleaved, [k / 16][6 rows] words of 16 bits, and broadcast by
 * LD1R: on Cortex-A53 that takes one cycle, a load of 128 bits two, which would wipe out what expanded rows save.
 *
 * Registers. v0-v23 sums of bytes [row][8 channels], v24-v27 weights of a step, v28 and v29 words of rows in turns, v30
 * and v31 products.
 *
 * Order. One vector instruction starts per cycle, EOR is awaited 1 cycle, CNT 2: EOR EOR CNT CNT ADD ADD runs without a
 * gap in two registers. LD1R runs one row ahead. The weights of the next step are loaded in the last row, as soon as
 * this step needs them no more; the very last step loads nothing, for nothing may lie beyond the panel.
 *
 * Limits. 72 vector instructions, 4 loads of 128 bits at 2 cycles, 6 LD1R make 3072 products in 86 cycles: 35.7 per
 * cycle (42.7 without loads). A tile of 4 rows reaches 34.1.
 */
#ifndef EDGEBIN_B1_GEMM_INORDER_TILE_H
#define EDGEBIN_B1_GEMM_INORDER_TILE_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../internal/compiler.h"
#include "../internal/neon_registers.h"

#define EB_TILE_WORDS 64 /* 64-bit words of k that 16-bit sums and the prepared rows are made for */
#define EB_TILE_ROWS 6
#define EB_GROUP_BYTES(words) (8 * EB_TILE_ROWS * (words)) /* of a tile of prepared rows */

/* 6 rows of `words` 64-bit words -> [4 * words][6] words of 16 bits. Rows from `rows` on repeat the last one. */
static void prepare_rows(const uint8_t* a, size_t row_bytes, size_t rows, size_t words, uint8_t* to) {
  const uint8_t* row[EB_TILE_ROWS];
  for (size_t r = 0; r < EB_TILE_ROWS; r++) row[r] = a + EB_MIN(r, rows - 1) * row_bytes;
  for (size_t word = 0; word < words; word++, to += 8 * EB_TILE_ROWS) {
    uint64_t x[EB_TILE_ROWS];
    EB_UNROLL for (int r = 0; r < EB_TILE_ROWS; r++) memcpy(&x[r], row[r] + 8 * word, 8);
    EB_UNROLL for (int step = 0; step < 4; step++) {
      EB_UNROLL for (int r = 0; r < EB_TILE_ROWS; r++) {
        const uint16_t part = (uint16_t)(x[r] >> (16 * step));
        memcpy(to + 2 * (EB_TILE_ROWS * step + r), &part, 2);
      }
    }
  }
}

/* clang-format off */
#define BYTES(v) "v" #v ".16b"
#define EOR(t, x, w) "eor " BYTES(t) ", " BYTES(x) ", " BYTES(w) "\n"
#define CNT(to, t) "cnt " BYTES(to) ", " BYTES(t) "\n"
#define ADD(s, t) "add " BYTES(s) ", " BYTES(s) ", " BYTES(t) "\n"
#define ROW_WORD(x) "ld1r {v" #x ".8h}, [%[a]], #2\n"
#define WEIGHTS(w0, w1) "ldp q" #w0 ", q" #w1 ", [%[w]], #32\n"
#define PAIR(s0, s1, x, w0, w1, after_eor) \
  EOR(30, x, w0) EOR(31, x, w1) after_eor CNT(30, 30) CNT(31, 31) ADD(s0, 30) ADD(s1, 31)
#define FIRST_PAIR(s0, s1, x, w0, w1, after_eor) EOR(30, x, w0) EOR(31, x, w1) after_eor CNT(s0, 30) CNT(s1, 31)
#define STEP(PAIR, next_row, next_w0, next_w1)                                                   \
  PAIR(0, 1, 28, 24, 25, ROW_WORD(29)) PAIR(2, 3, 28, 26, 27, )                                  \
  PAIR(4, 5, 29, 24, 25, ROW_WORD(28)) PAIR(6, 7, 29, 26, 27, )                                  \
  PAIR(8, 9, 28, 24, 25, ROW_WORD(29)) PAIR(10, 11, 28, 26, 27, )                                \
  PAIR(12, 13, 29, 24, 25, ROW_WORD(28)) PAIR(14, 15, 29, 26, 27, )                              \
  PAIR(16, 17, 28, 24, 25, ROW_WORD(29)) PAIR(18, 19, 28, 26, 27, )                              \
  PAIR(20, 21, 29, 24, 25, next_row next_w0) PAIR(22, 23, 29, 26, 27, next_w1)
#define FIRST_STEP STEP(FIRST_PAIR, ROW_WORD(28), WEIGHTS(24, 25), WEIGHTS(26, 27))
#define NEXT_STEP STEP(PAIR, ROW_WORD(28), WEIGHTS(24, 25), WEIGHTS(26, 27))
#define LAST_STEP STEP(PAIR, , , )
#define WIDEN(s) "uaddlp v" #s ".8h, " BYTES(s) "\n"
#define WIDEN_ROW(s0, s1, s2, s3) WIDEN(s0) WIDEN(s1) WIDEN(s2) WIDEN(s3) \
  "stp q" #s0 ", q" #s1 ", [%[to]]\n stp q" #s2 ", q" #s3 ", [%[to], #32]\n add %[to], %[to], #64\n"
#define SUM(s, t) "uadalp v" #t ".8h, " BYTES(s) "\n"
#define SUM_ROW(s0, s1, s2, s3)                                                                  \
  "ldp q24, q25, [%[to]]\n ldp q26, q27, [%[to], #32]\n" SUM(s0, 24) SUM(s1, 25) SUM(s2, 26) SUM(s3, 27) \
  "stp q24, q25, [%[to]]\n stp q26, q27, [%[to], #32]\n add %[to], %[to], #64\n"
/* clang-format on */

/* Adds the popcounts of 1 .. EB_TILE_WORDS words to counts[row][channel], or stores them if `first`. A byte takes 7
 * words (28 steps of at most 8). */
EB_INLINE void count_tile(const uint8_t* a, const uint8_t* w, size_t words, int first,
                          uint16_t counts[EB_TILE_ROWS][32]) {
  size_t left;
  uint16_t* to = counts[0];
  __asm__ volatile("0: cmp %[words], #7\n csel %[left], %[words], %[most], lo\n sub %[words], %[words], %[left]\n"
                   WEIGHTS(24, 25) WEIGHTS(26, 27) ROW_WORD(28) FIRST_STEP NEXT_STEP NEXT_STEP
                   "subs %[left], %[left], #1\n b.eq 2f\n"
                   "1:\n" NEXT_STEP NEXT_STEP NEXT_STEP "subs %[left], %[left], #1\n" NEXT_STEP "b.ne 1b\n"
                   "2:\n" LAST_STEP "cbz %w[first], 3f\n"
                   WIDEN_ROW(0, 1, 2, 3) WIDEN_ROW(4, 5, 6, 7) WIDEN_ROW(8, 9, 10, 11) WIDEN_ROW(12, 13, 14, 15)
                   WIDEN_ROW(16, 17, 18, 19) WIDEN_ROW(20, 21, 22, 23)
                   "cbz %[words], 4f\n mov %w[first], wzr\n sub %[to], %[to], #384\n b 0b\n"
                   "3:\n" SUM_ROW(0, 1, 2, 3) SUM_ROW(4, 5, 6, 7) SUM_ROW(8, 9, 10, 11) SUM_ROW(12, 13, 14, 15)
                   SUM_ROW(16, 17, 18, 19) SUM_ROW(20, 21, 22, 23)
                   "sub %[to], %[to], #384\n cbnz %[words], 0b\n"
                   "4:\n"
                   : [a] "+r"(a), [w] "+r"(w), [words] "+r"(words), [left] "=&r"(left), [to] "+r"(to),
                     [first] "+r"(first)
                   : [most] "r"((size_t)7)
                   : EB_ALL_VECTORS, "cc", "memory");
}

#undef BYTES
#undef EOR
#undef CNT
#undef ADD
#undef ROW_WORD
#undef WEIGHTS
#undef PAIR
#undef FIRST_PAIR
#undef STEP
#undef FIRST_STEP
#undef NEXT_STEP
#undef LAST_STEP
#undef WIDEN
#undef WIDEN_ROW
#undef SUM
#undef SUM_ROW

#endif
