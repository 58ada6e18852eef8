/* Popcounts of a register tile on Armv8.0 NEON, 4 rows x 32 channels, 16 bits of k per lane.
 *
 * Layout. A panel of weights is [k / 16][32 channels] words of 16 bits: one vector is 8 channels, LD1 of four registers
 * is one step of k. Rows of a are expanded once per block of rows, [k / 16][4 rows][8 times the word of 16 bits], so
 * that one LD1 of four registers is a step of k as well.
 *
 * Registers. v0-v15 sums [row][8 channels, first bytes, then halfwords], v16-v19 weights of a step, v20-v23 its rows,
 * v24-v31 products on their way. Written in assembly: compilers hoist the EORs of later steps, and then spill half of
 * the tile.
 *
 * A byte takes 28 steps (28 * 8 = 224 <= 255; whole words of 64 bits), then UADALP moves sums to 16 bits, which take
 * EB_TILE_WORDS of them. The first step stores its counts instead of adding them to nothing.
 *
 * Limits. 16 EOR, 16 CNT, 16 ADD and 2 LD1 make 2048 products: 41.0 per instruction (42.7 without loads). On Cortex-A72
 * a result of 128 bits takes two of three issue slots: 104 slots a step, 59 products per cycle.
 */
#ifndef EDGEBIN_B1_GEMM_NEON_TILE_H
#define EDGEBIN_B1_GEMM_NEON_TILE_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../internal/compiler.h"
#include "../internal/neon_registers.h"

#define EB_TILE_WORDS 64 /* 64-bit words of k that 16-bit sums and the expanded rows are made for */
#define BYTE_WORDS 7
#define EB_TILE_ROWS 4
#define EB_GROUP_BYTES(words) (4 * STEP_BYTES * (words)) /* of a tile of prepared rows */
#define STEP_BYTES 64 /* of a group of four expanded rows and of a panel, per 16 bits of k */

/* 4 rows of `words` 64-bit words -> [4 * words][4][16] bytes. Rows from `rows` on repeat the last one. */
static void prepare_rows(const uint8_t* a, size_t row_bytes, size_t rows, size_t words, uint8_t* to) {
  const uint8_t *a0 = a, *a1 = a + EB_MIN(1, rows - 1) * row_bytes, *a2 = a + EB_MIN(2, rows - 1) * row_bytes,
                *a3 = a + EB_MIN(3, rows - 1) * row_bytes;
  for (; words; words--, to += 4 * STEP_BYTES) {
    __asm__ volatile(
        "ld4r {v0.8h-v3.8h}, [%[a0]], #8\n ld4r {v4.8h-v7.8h}, [%[a1]], #8\n"
        "ld4r {v16.8h-v19.8h}, [%[a2]], #8\n ld4r {v20.8h-v23.8h}, [%[a3]], #8\n"
        "stp q0, q4, [%[to]]\n stp q16, q20, [%[to], #32]\n stp q1, q5, [%[to], #64]\n stp q17, q21, [%[to], #96]\n"
        "stp q2, q6, [%[to], #128]\n stp q18, q22, [%[to], #160]\n"
        "stp q3, q7, [%[to], #192]\n stp q19, q23, [%[to], #224]\n"
        : [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3)
        : [to] "r"(to)
        : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
          "memory");
  }
}

/* clang-format off */
#define LOAD "ld1 {v16.16b-v19.16b}, [%[w]], #64\n ld1 {v20.16b-v23.16b}, [%[a]], #64\n"
#define EOR(t, x, y) "eor v" #t ".16b, v" #x ".16b, v" #y ".16b\n"
#define CNT(to, t) "cnt v" #to ".16b, v" #t ".16b\n"
#define ADD(s, t) "add v" #s ".16b, v" #s ".16b, v" #t ".16b\n"
#define EOR4(x, t0, t1, t2, t3) EOR(t0, x, 16) EOR(t1, x, 17) EOR(t2, x, 18) EOR(t3, x, 19)
#define CNT4(s0, s1, s2, s3, t0, t1, t2, t3) CNT(s0, t0) CNT(s1, t1) CNT(s2, t2) CNT(s3, t3)
#define ADD4(s0, s1, s2, s3, t0, t1, t2, t3) ADD(s0, t0) ADD(s1, t1) ADD(s2, t2) ADD(s3, t3)
#define LOW 24, 25, 26, 27
#define HIGH 28, 29, 30, 31
#define EXPAND(macro, ...) macro(__VA_ARGS__)
#define FIRST_STEP LOAD                                                            \
  EXPAND(EOR4, 20, LOW) EXPAND(EOR4, 21, HIGH)                                     \
  EXPAND(CNT4, 0, 1, 2, 3, LOW) EXPAND(EOR4, 22, LOW)                              \
  EXPAND(CNT4, 4, 5, 6, 7, HIGH) EXPAND(EOR4, 23, HIGH)                            \
  EXPAND(CNT4, 8, 9, 10, 11, LOW) EXPAND(CNT4, 12, 13, 14, 15, HIGH)
#define NEXT_STEP LOAD                                                             \
  EXPAND(EOR4, 20, LOW) EXPAND(EOR4, 21, HIGH)                                     \
  EXPAND(CNT4, LOW, LOW) EXPAND(CNT4, HIGH, HIGH)                                  \
  EXPAND(ADD4, 0, 1, 2, 3, LOW) EXPAND(EOR4, 22, LOW)                              \
  EXPAND(ADD4, 4, 5, 6, 7, HIGH) EXPAND(EOR4, 23, HIGH)                            \
  EXPAND(CNT4, LOW, LOW) EXPAND(CNT4, HIGH, HIGH)                                  \
  EXPAND(ADD4, 8, 9, 10, 11, LOW) EXPAND(ADD4, 12, 13, 14, 15, HIGH)
#define WIDEN(s) "uaddlp v" #s ".8h, v" #s ".16b\n"
#define WIDEN_ROW(s0, s1, s2, s3) WIDEN(s0) WIDEN(s1) WIDEN(s2) WIDEN(s3) \
  "st1 {v" #s0 ".8h-v" #s3 ".8h}, [%[to]], #64\n"
#define SUM(s, t) "uadalp v" #t ".8h, v" #s ".16b\n"
#define SUM_ROW(s0, s1, s2, s3) "ld1 {v16.8h-v19.8h}, [%[to]]\n" SUM(s0, 16) SUM(s1, 17) SUM(s2, 18) SUM(s3, 19) \
  "st1 {v16.8h-v19.8h}, [%[to]], #64\n"
/* clang-format on */

/* Adds the popcounts of 1 .. EB_TILE_WORDS words to counts[row][channel], or stores them if `first`. */
EB_INLINE void count_tile(const uint8_t* a, const uint8_t* w, size_t words, int first, uint16_t counts[4][32]) {
  size_t left;
  uint16_t* to = counts[0];
  __asm__ volatile("0: cmp %[words], #7\n csel %[left], %[words], %[most], lo\n sub %[words], %[words], %[left]\n" FIRST_STEP
                       NEXT_STEP NEXT_STEP NEXT_STEP
                   "subs %[left], %[left], #1\n b.eq 2f\n"
                   "1:\n" NEXT_STEP NEXT_STEP "subs %[left], %[left], #1\n" NEXT_STEP NEXT_STEP
                   "b.ne 1b\n"
                   "2: cbz %w[first], 3f\n" WIDEN_ROW(0, 1, 2, 3) WIDEN_ROW(4, 5, 6, 7) WIDEN_ROW(8, 9, 10, 11)
                       WIDEN_ROW(12, 13, 14, 15)
                   "cbz %[words], 4f\n mov %w[first], wzr\n sub %[to], %[to], #256\n b 0b\n"
                   "3:\n" SUM_ROW(0, 1, 2, 3) SUM_ROW(4, 5, 6, 7) SUM_ROW(8, 9, 10, 11) SUM_ROW(12, 13, 14, 15)
                   "sub %[to], %[to], #256\n cbnz %[words], 0b\n"
                   "4:\n"
                   : [a] "+r"(a), [w] "+r"(w), [words] "+r"(words), [left] "=&r"(left), [to] "+r"(to),
                     [first] "+r"(first)
                   : [most] "r"((size_t)BYTE_WORDS)
                   : EB_ALL_VECTORS, "cc", "memory");
}

#undef LOAD
#undef EOR
#undef CNT
#undef ADD
#undef EOR4
#undef CNT4
#undef ADD4
#undef LOW
#undef HIGH
#undef EXPAND
#undef FIRST_STEP
#undef NEXT_STEP
#undef WIDEN
#undef WIDEN_ROW
#undef SUM
#undef SUM_ROW

#endif
