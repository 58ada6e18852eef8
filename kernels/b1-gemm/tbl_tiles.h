/* Tiles of neon_tbl.c: what is done to the counts of tbl_count.h. Include after simd/f32_neon.h and epilogue/tile.h.
 *
 * Memory of Cortex-A76 takes 128 bits in three cycles, so counts stay in registers where the epilogue is simple: bits
 * only, or scale, bias and one residual. */
#ifndef EDGEBIN_B1_GEMM_TBL_TILES_H
#define EDGEBIN_B1_GEMM_TBL_TILES_H

#define EB_STRIP_ROWS 4
#include "../epilogue/neon_counts.h"
#include "../epilogue/neon_limits.h"
#include "../epilogue/neon_stages.h"
#include "tbl_count.h"

typedef struct {
  const eb_b1_gemm_args* args;
  size_t row_bytes, groups, stride; /* of a row: bytes, groups, indices */
  size_t planes;
  unsigned stages;
  int doubled, in_strips; /* counts are sums of planes or doubled; no residual wraps round inside a strip */
  eb_count_scale to_float;
} product;

/* A panel of weights and the indices of a block of rows. */
typedef struct {
  size_t row, end, col;
  const uint16_t* index;
  const uint8_t* panel;
} block;

typedef struct {
  eb_count_limits of_counts;
  uint8_t of_bytes[EB_LIMIT_COLS]; /* where no count exceeds MOST_BYTES */
} limits;

#define MOST_BYTES 254 /* limits are one more at most */

#define EACH_COUNT EB_UNROLL for (int i = 0; i < 2 * TBL_ROWS * TBL_VECTORS; i++)

EB_INLINE void count_pair(const product* p, const uint16_t* index, const uint8_t* panel,
                          uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS]) {
  tbl_count(index, panel, p->groups, counts);
  if (p->planes == 2) {
    uint16_t first[TBL_ROWS * TBL_COLS];
    EACH_COUNT vst1q_u16(first + 8 * i, counts[i / 8][i % 8]);
    tbl_count(index + p->stride, panel, p->groups, counts);
    EACH_COUNT counts[i / 8][i % 8] = vaddq_u16(counts[i / 8][i % 8], vld1q_u16(first + 8 * i));
  }
}

/* Counts ready for eb_count_scale. */
EB_INLINE void count_doubled(const product* p, const uint16_t* index, const uint8_t* panel,
                             uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS]) {
  count_pair(p, index, panel, counts);
  if (p->doubled && p->planes == 1)
    EACH_COUNT counts[i / 8][i % 8] = vaddq_u16(counts[i / 8][i % 8], counts[i / 8][i % 8]);
}

/* [4][TBL_COLS] of two pairs. */
EB_INLINE void store_counts(const product* p, const uint16_t* index, size_t pairs, const uint8_t* panel,
                            uint16_t* stored) {
  for (size_t pair = 0; pair < pairs; pair++, index += p->planes * p->stride, stored += TBL_ROWS * TBL_COLS) {
    uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS];
    count_doubled(p, index, panel, counts);
    EACH_COUNT vst1q_u16(stored + 8 * i, counts[i / 8][i % 8]);
  }
}

/* By the epilogue of all paths. */
EB_NOINLINE void partial_tile(const product* p, size_t row, size_t rows, size_t col, const uint16_t* index,
                              const uint8_t* panel) {
  uint16_t counts[4 * TBL_COLS];
  vf acc[4][EB_TILE_VECTORS];
  store_counts(p, index, EB_CEIL_DIV(rows, TBL_ROWS), panel, counts);
  for (size_t r = 0; r < rows; r++) {
    for (size_t v = 0; v < EB_TILE_VECTORS; v++) {
      const uint32x4_t sum = vaddw_u16(p->to_float.magic, vld1_u16(counts + r * TBL_COLS + 4 * v));
      acc[r][v] = vf_sub(p->to_float.minuend, vreinterpretq_f32_u32(sum));
    }
  }
  eb_epilogue_tile(&p->args->epilogue, p->args->n, row, rows, col, acc[0]);
}

/* One set of stages, with one residual and one plane of bits at most, from counts in registers. */
EB_INLINE void tiles_of(const product* p, const block* b, const unsigned stages) {
  const eb_epilogue e = eb_epilogue_of(&p->args->epilogue, stages);
  const eb_count_scale to_float = p->to_float;
  const uint16_t* index = b->index;
  for (size_t row = b->row; row < b->end; row += TBL_ROWS, index += p->planes * p->stride) {
    uint16_t counts[TBL_ROWS * TBL_COLS]; /* in registers, as all that reads it is unrolled */
    store_counts(p, index, 1, b->panel, counts);
    EB_UNROLL for (size_t j = 0; j < TBL_COLS; j += 16) {
      eb_count_strip(&e, stages, &to_float, p->args->n, row, TBL_ROWS, b->col + j, counts + j, TBL_COLS);
    }
  }
}

EB_NOINLINE void scaled_tiles(const product* p, const block* b) { tiles_of(p, b, EB_AFFINE); }
EB_NOINLINE void residual_tiles(const product* p, const block* b) { tiles_of(p, b, EB_AFFINE | EB_RESIDUAL); }
EB_NOINLINE void rprelu_bit_tiles(const product* p, const block* b) { tiles_of(p, b, EB_RPRELU | EB_BITS); }
EB_NOINLINE void rprelu_skip_tiles(const product* p, const block* b) { tiles_of(p, b, EB_RPRELU | EB_SKIP); }
EB_NOINLINE void gain_skip_tiles(const product* p, const block* b) { tiles_of(p, b, EB_RPRELU | EB_GAIN | EB_SKIP); }
EB_NOINLINE void pooled_bit_tiles(const product* p, const block* b) { tiles_of(p, b, EB_RPRELU | EB_BITS | EB_POOLED); }

/* Any epilogue, four rows at a time. */
EB_NOINLINE void other_tiles(const product* p, const block* b) {
  const uint16_t* index = b->index;
  for (size_t row = b->row; row < b->end; row += 4, index += 2 * p->planes * p->stride) {
    uint16_t counts[4 * TBL_COLS];
    store_counts(p, index, 2, b->panel, counts);
    for (size_t j = 0; j < TBL_COLS; j += 16) {
      eb_count_strip(&p->args->epilogue, p->stages, &p->to_float, p->args->n, row, 4, b->col + j, counts + j, TBL_COLS);
    }
  }
}

#include "whole_tiles.h"

/* Whole tiles of a block whose rows are a multiple of four. */
static void whole_tiles(const product* p, const block* b) {
  tiles_for(eb_one_of_each(&p->args->epilogue) ? p->stages : 0, p, b);
}

/* Columns' masks -> bits. at: column within limits. */
EB_INLINE void store_bits(const product* p, const block* b, size_t row, const limits* l, size_t at,
                          uint8x16_t mask[TBL_ROWS][TBL_VECTORS]) {
  const uint8x16_t weight = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  uint8x16_t sum[TBL_ROWS];
  EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) {
    EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++) mask[r][v] = vandq_u8(mask[r][v], weight);
    sum[r] = vpaddq_u8(vpaddq_u8(mask[r][0], mask[r][1]), vpaddq_u8(mask[r][2], mask[r][3]));
  }
  const uint8x8_t flip = vld1_u8(l->of_counts.flip + at / 8);
  const uint8x16_t words = veorq_u8(vpaddq_u8(sum[0], sum[1]), vcombine_u8(flip, flip));
  const size_t row_bytes = EB_BIT_ROW_BYTES(p->args->n);
  uint8_t* bits = p->args->epilogue.bits[0] + row * row_bytes + b->col / 8;
  vst1_u8(bits, vget_low_u8(words));
  if (row + 1 < b->end) vst1_u8(bits + row_bytes, vget_high_u8(words));
}

EB_NOINLINE void bit_tiles(const product* p, const block* b, const limits* l, size_t at) {
  const uint16_t* index = b->index;
  for (size_t row = b->row; row < b->end; row += TBL_ROWS, index += p->planes * p->stride) {
    uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS];
    count_doubled(p, index, b->panel, counts);
    uint8x16_t mask[TBL_ROWS][TBL_VECTORS];
    EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++) {
      const uint16_t* limit = l->of_counts.limit + at + 16 * v;
      const uint16x8_t low = vld1q_u16(limit), high = vld1q_u16(limit + 8);
      EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) {
        mask[r][v] = vuzp1q_u8(vreinterpretq_u8_u16(vcgeq_u16(counts[r][2 * v], low)),
                               vreinterpretq_u8_u16(vcgeq_u16(counts[r][2 * v + 1], high)));
      }
    }
    store_bits(p, b, row, l, at, mask);
  }
}

/* The same of one plane where no count exceeds MOST_BYTES. */
EB_NOINLINE void bit_tiles_of_bytes(const product* p, const block* b, const limits* l, size_t at) {
  const uint16_t* index = b->index;
  for (size_t row = b->row; row < b->end; row += TBL_ROWS, index += p->stride) {
    uint8x16_t counts[TBL_ROWS][TBL_VECTORS], mask[TBL_ROWS][TBL_VECTORS];
    tbl_count_segment(index, b->panel, p->groups, counts);
    EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++) {
      const uint8x16_t limit = vld1q_u8(l->of_bytes + at + 16 * v);
      EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) mask[r][v] = vcgeq_u8(counts[r][v], limit);
    }
    store_bits(p, b, row, l, at, mask);
  }
}

#undef EACH_COUNT

#endif
