/* Popcounts of a register tile by table look-up: 2 rows x 64 channels, five bits of k of both rows at a time.
 *
 * For five bits of two rows, a table of 32 bytes (tbl_table.h) holds popcount(a0 ^ i) | popcount(a1 ^ i) << 4. TBL
 * looks up 16 channels in it. Three results add up before a nibble overflows (3 * 5 = 15). Then one ADD adds both
 * nibbles to a byte, modulo 256, and one USRA the high ones to another; 17 such steps fill a byte (255). The low sums
 * are what is left of the byte of both.
 *
 * Layout. A panel of weights is [ceil(64 * words / 5)][64 channels] bytes of five bits.
 *
 * Registers. v24, v25 a table, v26-v29 sums of three results, v30-v31 weights and results; eight registers of the
 * others hold the sums of bytes. So sixteen are left for what came before: sums of bytes, or counts of 16 bits. Tiles
 * of 4 rows x 32 channels would load less per product, but not leave as many.
 *
 * Limits. 12 TBL, 12 ADD and 4 USRA make 1920 products: 137 per cycle where two of these start in a cycle (Cortex-A76);
 * EOR, CNT and ADD make 85. 21 accesses to memory, 2 additions and the end of the loop come to 13.25 of its 14 cycles
 * to issue. Groups of four bits, for which TBL has one register, do not reach this: 110 per cycle, 196x384x384 to bits
 * 96 in place of 115 by the model of edgebin/profile/estimate/cycles.py. Cortex-A72 starts a TBL of two registers in
 * three cycles: not for such cores. */
#ifndef EDGEBIN_B1_GEMM_TBL_COUNT_H
#define EDGEBIN_B1_GEMM_TBL_COUNT_H

#include "tbl_index.h"

#define TBL_ROWS 2
#define TBL_VECTORS 4 /* of 16 channels */
#define TBL_COLS (16 * TBL_VECTORS)
#define SEGMENT 51 /* groups that fill a byte */

/* clang-format off */
#define TABLE(g)                                                                     \
  "ldrh %w[offset], [%[index], #2*" #g "]\n"                                            \
  "ldr q24, [%[tables], %[offset]]\n ldr q25, [%[tables16], %[offset]]\n"
#define LOOK_UP(x) "tbl v" #x ".16b, {v24.16b, v25.16b}, v" #x ".16b\n"
#define ADD(to, x, y) "add " to ".16b, " x ".16b, " y ".16b\n"
#define BOTH(v) "%[both" #v "]"
#define HIGH(v) "%[high" #v "]"
#define WEIGHTS(x, y, g, v) "ldp q" #x ", q" #y ", [%[w], #64*" #g "+16*" #v "]\n"
#define SET_GROUP(g) TABLE(g) WEIGHTS(26, 27, g, 0) WEIGHTS(28, 29, g, 2) LOOK_UP(26) LOOK_UP(27) LOOK_UP(28) LOOK_UP(29)
#define TWO(x, y, to0, to1) LOOK_UP(30) LOOK_UP(31) ADD(to0, x, "v30") ADD(to1, y, "v31")
#define ADD_GROUP(g, to0, to1, to2, to3)               \
  TABLE(g) WEIGHTS(30, 31, g, 0) TWO("v26", "v27", to0, to1) WEIGHTS(30, 31, g, 2) TWO("v28", "v29", to2, to3)
#define MORE_GROUP(g) ADD_GROUP(g, "v26", "v27", "v28", "v29")
#define KEEP_GROUP(g) ADD_GROUP(g, BOTH(0), BOTH(1), BOTH(2), BOTH(3))
#define ADVANCE(groups) "add %[index], %[index], #2*" #groups "\n add %[w], %[w], #64*" #groups "\n"
#define KEEP(v) "ushr " HIGH(v) ".16b, " BOTH(v) ".16b, #4\n"
#define ADD_UP(v, x) ADD(BOTH(v), BOTH(v), "v" #x) "usra " HIGH(v) ".16b, v" #x ".16b, #4\n"
#define ADD_ALL ADD_UP(0, 26) ADD_UP(1, 27) ADD_UP(2, 28) ADD_UP(3, 29)
#define SPLIT(v) "mls " BOTH(v) ".16b, " HIGH(v) ".16b, v24.16b\n"
#define FIRST_STEP SET_GROUP(0) MORE_GROUP(1) KEEP_GROUP(2) KEEP(0) KEEP(1) KEEP(2) KEEP(3) ADVANCE(3)
#define NEXT_STEP SET_GROUP(0) MORE_GROUP(1) MORE_GROUP(2) ADD_ALL ADVANCE(3)
/* clang-format on */

/* Sums of bytes of 3 .. SEGMENT groups; index and w are advanced. */
EB_INLINE void count_segment(const uint16_t** index, const uint8_t** w, size_t groups,
                             uint8x16_t sum[TBL_ROWS][TBL_VECTORS]) {
  size_t steps = groups / 3 - 1, rest = groups % 3, offset;
  __asm__(FIRST_STEP
          "cbz %[steps], 2f\n"
          "1: subs %[steps], %[steps], #1\n" NEXT_STEP
          "b.ne 1b\n"
          "2: cbz %[rest], 4f\n" SET_GROUP(0) ADVANCE(1) "tbz %[rest], #1, 3f\n" MORE_GROUP(0)
              ADVANCE(1) "3:\n" ADD_ALL "4: movi v24.16b, #16\n" SPLIT(0) SPLIT(1) SPLIT(2) SPLIT(3)
          : [index] "+r"(*index), [w] "+r"(*w), [steps] "+r"(steps), [offset] "=&r"(offset), [both0] "=&w"(sum[0][0]),
            [both1] "=&w"(sum[0][1]), [both2] "=&w"(sum[0][2]), [both3] "=&w"(sum[0][3]), [high0] "=&w"(sum[1][0]),
            [high1] "=&w"(sum[1][1]), [high2] "=&w"(sum[1][2]), [high3] "=&w"(sum[1][3])
          : [tables] "r"(kTables[0]), [tables16] "r"(kTables[0] + 16), [rest] "r"(rest)
          : "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "cc", "memory");
}

/* The same of one or two groups. */
EB_INLINE void count_rest(const uint16_t** index, const uint8_t** w, size_t groups,
                          uint8x16_t sum[TBL_ROWS][TBL_VECTORS]) {
  uint8x16_t x[TBL_VECTORS];
  size_t offset;
  __asm__(SET_GROUP(0) ADVANCE(1)
          "tbz %[groups], #1, 1f\n" MORE_GROUP(0) ADVANCE(1)
          "1:\n"
          "mov %[x0].16b, v26.16b\n mov %[x1].16b, v27.16b\n mov %[x2].16b, v28.16b\n mov %[x3].16b, v29.16b\n"
          : [index] "+r"(*index), [w] "+r"(*w), [offset] "=&r"(offset), [x0] "=&w"(x[0]), [x1] "=&w"(x[1]),
            [x2] "=&w"(x[2]), [x3] "=&w"(x[3])
          : [tables] "r"(kTables[0]), [tables16] "r"(kTables[0] + 16), [groups] "r"(groups)
          : "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory");
  EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++) {
    sum[0][v] = vandq_u8(x[v], vdupq_n_u8(15));
    sum[1][v] = vshrq_n_u8(x[v], 4);
  }
}

#undef TABLE
#undef LOOK_UP
#undef ADD
#undef BOTH
#undef HIGH
#undef WEIGHTS
#undef SET_GROUP
#undef TWO
#undef ADD_GROUP
#undef MORE_GROUP
#undef KEEP_GROUP
#undef ADVANCE
#undef KEEP
#undef ADD_UP
#undef ADD_ALL
#undef SPLIT
#undef FIRST_STEP
#undef NEXT_STEP

EB_INLINE void count_next(const uint16_t** index, const uint8_t** w, size_t groups,
                          uint8x16_t sum[TBL_ROWS][TBL_VECTORS]) {
  if (groups < 3) {
    count_rest(index, w, groups, sum);
  } else {
    count_segment(index, w, groups, sum);
  }
}

/* count[row][vector of 16 channels] of 3 .. SEGMENT groups. */
EB_INLINE void tbl_count_segment(const uint16_t* index, const uint8_t* w, size_t groups,
                                 uint8x16_t count[TBL_ROWS][TBL_VECTORS]) {
  count_segment(&index, &w, groups, count);
}

/* count[row][vector of 8 channels] of 3 groups or more, whose sums fit in 16 bits. */
EB_INLINE void tbl_count(const uint16_t* index, const uint8_t* w, size_t groups,
                         uint16x8_t count[TBL_ROWS][2 * TBL_VECTORS]) {
  uint8x16_t first[TBL_ROWS][TBL_VECTORS], next[TBL_ROWS][TBL_VECTORS];
#define EACH EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++)
  if (groups <= SEGMENT) {
    count_segment(&index, &w, groups, first);
    EACH {
      count[r][2 * v] = vmovl_u8(vget_low_u8(first[r][v]));
      count[r][2 * v + 1] = vmovl_high_u8(first[r][v]);
    }
    return;
  }
  count_segment(&index, &w, SEGMENT, first);
  groups -= SEGMENT;
  count_next(&index, &w, EB_MIN(groups, SEGMENT), next);
  EACH {
    count[r][2 * v] = vaddl_u8(vget_low_u8(first[r][v]), vget_low_u8(next[r][v]));
    count[r][2 * v + 1] = vaddl_high_u8(first[r][v], next[r][v]);
  }
  while (groups > SEGMENT) {
    groups -= SEGMENT;
    count_next(&index, &w, EB_MIN(groups, SEGMENT), next);
    EACH {
      count[r][2 * v] = vaddw_u8(count[r][2 * v], vget_low_u8(next[r][v]));
      count[r][2 * v + 1] = vaddw_high_u8(count[r][2 * v + 1], next[r][v]);
    }
  }
#undef EACH
}

#endif
