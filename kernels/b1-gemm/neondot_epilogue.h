/* What neondot.c does to the sums of neondot_tile.h, in registers: bits, or the stages of an epilogue. Include after
 * simd/f32_neon.h and epilogue/tile.h with EB_TILE_COLS of 16.
 *
 * Sums begin at the bits of a float, so that one FSUB makes the accumulator of them; where bits are all that is stored,
 * they begin at -limit (neon_limits.h), so that the sign says on which side of the limit a count is. */
#ifndef EDGEBIN_B1_GEMM_NEONDOT_EPILOGUE_H
#define EDGEBIN_B1_GEMM_NEONDOT_EPILOGUE_H

#define EB_STRIP_ROWS 4
#include "../epilogue/neon_counts.h"
#include "../epilogue/neon_limits.h"
#include "../epilogue/neon_stages.h"
#include "neondot_tile.h"

/* acc = minuend - float with the bits of the sum, which began at magic; twice that plus 1 where odd. */
typedef struct {
  uint32_t magic;
  float minuend;
  int odd;
} float_of_sum;

typedef struct {
  const eb_b1_gemm_args* args;
  size_t row_bytes, panel_bytes, group_bytes; /* of a row, of a panel, of four expanded rows of all planes */
  size_t planes, steps;                       /* of a; of 32 bits of k */
  int in_strips;                              /* no residual wraps round inside a strip */
  unsigned stages;
  float_of_sum to_float;
  uint32_t start[EB_TILE_COLS]; /* of the sums of a row */
} product;

/* Groups of four expanded rows and a panel of weights. */
typedef struct {
  size_t row, end, col;
  const uint8_t *expanded, *panel;
} block;

/* 2^24 + 2 p has the bits 0x4B800000 + p: exact where k is even. Else, and where p is the sum of two planes,
 * 2^23 + p has the bits 0x4B000000 + p, and k - 2 p = 2 ((k - 1) / 2 - p) + 1. */
static float_of_sum float_of_sum_for(size_t k, size_t planes) {
  if (planes == 2) return (float_of_sum){0x4B000000, 0x1p23f + (float)k, 0};
  if (k % 2) return (float_of_sum){0x4B000000, 0x1p23f + (float)(k / 2), 1};
  return (float_of_sum){0x4B800000, 0x1p24f + (float)k, 0};
}

EB_INLINE void sum_to_float(const float_of_sum* f, uint32x4_t sum[4][4], vf acc[4][4]) {
  const vf minuend = vf_set1(f->minuend);
  EB_UNROLL for (int r = 0; r < 4; r++) {
    EB_UNROLL for (int v = 0; v < 4; v++) {
      acc[r][v] = vf_sub(minuend, vreinterpretq_f32_u32(sum[r][v]));
      if (f->odd) acc[r][v] = vf_fma(acc[r][v], vf_set1(2.0f), vf_set1(1.0f));
    }
  }
}

EB_INLINE void store_sums(uint32_t stored[4 * EB_TILE_COLS], uint32x4_t sum[4][4]) {
  EB_UNROLL for (int i = 0; i < 16; i++) vst1q_u32(stored + 4 * i, sum[i / 4][i % 4]);
}

/* sum = start + counts over all planes. */
EB_INLINE void count_planes(const product* p, const size_t planes, const uint8_t* expanded, const uint8_t* panel,
                            const uint32_t* start, uint32x4_t sum[4][4]) {
  count_tile(expanded, panel, p->steps, start, 0, sum);
  if (planes == 2) {
    uint32_t stored[4 * EB_TILE_COLS];
    store_sums(stored, sum);
    count_tile(expanded + p->steps * STEP_BYTES, panel, p->steps, stored, sizeof(stored) / 4, sum);
  }
}

/* Scale and bias, and a residual at will, of an even k. Each row loads the parameters of columns anew: kept, they would
 * take registers that sums are still in. */
EB_INLINE void affine_tiles(const product* p, const block* b, const int residual) {
  const eb_epilogue* e = &p->args->epilogue;
  const size_t n = p->args->n;
  const float *scale = e->scale + b->col, *bias = e->bias + b->col;
  const uint8_t* expanded = b->expanded;
  for (size_t row = b->row, end = b->end; row < end; row += 4, expanded += p->group_bytes) {
    uint32x4_t sum[4][4];
    count_planes(p, p->planes, expanded, b->panel, p->start, sum);
    const float* source = residual ? e->residual[0] + row * n + b->col : NULL;
    float* out = e->out + row * n + b->col;
    const vf minuend = vf_set1(p->to_float.minuend);
    EB_UNROLL for (int r = 0; r < 4; r++, out += n) {
      EB_UNROLL for (int v = 0; v < 4; v++) {
        const vf acc = vf_sub(minuend, vreinterpretq_f32_u32(sum[r][v]));
        vf x = vf_fma(acc, vf_load(scale + 4 * v), vf_load(bias + 4 * v));
        if (residual) x = vf_add(x, vf_load(source + (size_t)r * n + 4 * v));
        vf_store(out + 4 * v, x);
      }
    }
  }
}

EB_NOINLINE void scaled_tiles(const product* p, const block* b) { affine_tiles(p, b, 0); }
EB_NOINLINE void residual_tiles(const product* p, const block* b) { affine_tiles(p, b, 1); }

/* Whole tiles, from registers. */
EB_INLINE void tiles_of(const product* p, const block* b, const eb_epilogue* e, const unsigned stages, const int odd,
                        const size_t planes) {
  const float_of_sum to_float = {p->to_float.magic, p->to_float.minuend, odd};
  const size_t n = p->args->n, col = b->col;
  const uint8_t* expanded = b->expanded;
  for (size_t row = b->row, end = b->end; row < end; row += 4, expanded += p->group_bytes) {
    uint32x4_t sum[4][4];
    vf acc[4][4];
    count_planes(p, planes, expanded, b->panel, p->start, sum);
    sum_to_float(&to_float, sum, acc);
    eb_stage_strip(e, stages, n, row, 4, col, acc);
  }
}

#define TILES(name, stages)                                           \
  EB_NOINLINE void name(const product* p, const block* b) {           \
    const eb_epilogue e = eb_epilogue_of(&p->args->epilogue, stages); \
    tiles_of(p, b, &e, stages, 0, 1);                                 \
  }
TILES(rprelu_bit_tiles, EB_RPRELU | EB_BITS)
TILES(rprelu_skip_tiles, EB_RPRELU | EB_SKIP)
TILES(gain_skip_tiles, EB_RPRELU | EB_GAIN | EB_SKIP)
TILES(pooled_bit_tiles, EB_RPRELU | EB_BITS | EB_POOLED)
#undef TILES

EB_NOINLINE void other_tiles(const product* p, const block* b) {
  tiles_of(p, b, &p->args->epilogue, p->stages, p->to_float.odd, p->planes);
}

#include "whole_tiles.h"

/* Tiles made for some stages take even k, one plane, and a residual that does not wrap round. */
static void whole_tiles(const product* p, const block* b) {
  const eb_epilogue* e = &p->args->epilogue;
  const int wraps = p->stages == (EB_AFFINE | EB_RESIDUAL) && e->residual_cols[0] != p->args->n;
  const int fits = eb_one_of_each(e) && !p->to_float.odd && p->planes == 1 && !wraps;
  tiles_for(fits ? p->stages : 0, p, b);
}

EB_NOINLINE void partial_tile(const product* p, size_t row, size_t rows, size_t col, const uint8_t* expanded,
                              const uint8_t* panel) {
  uint32x4_t sum[4][4];
  count_planes(p, p->planes, expanded, panel, p->start, sum);
  vf acc[4][4];
  sum_to_float(&p->to_float, sum, acc);
  eb_epilogue_tile(&p->args->epilogue, p->args->n, row, rows, col, acc[0]);
}

/* 16 bits of each of 4 rows. Sums are negative up to the limit, and less than 2^24 off 0: their highest bytes are
 * masks. */
EB_INLINE uint64_t bit_tile(const product* p, const uint8_t* expanded, const uint8_t* panel, const uint32_t* start) {
  const uint8x16_t weight = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  uint32x4_t sum[4][4];
  count_planes(p, p->planes, expanded, panel, start, sum);
  uint8x16_t mask[4];
  EB_UNROLL for (int r = 0; r < 4; r++) {
    uint16x8_t half[2];
    EB_UNROLL for (int h = 0; h < 2; h++) {
      half[h] = vuzp2q_u16(vreinterpretq_u16_u32(sum[r][2 * h]), vreinterpretq_u16_u32(sum[r][2 * h + 1]));
    }
    mask[r] = vandq_u8(vuzp2q_u8(vreinterpretq_u8_u16(half[0]), vreinterpretq_u8_u16(half[1])), weight);
  }
  const uint8x16_t pairs = vpaddq_u8(vpaddq_u8(mask[0], mask[1]), vpaddq_u8(mask[2], mask[3]));
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(pairs, pairs)), 0);
}

EB_INLINE void store_rows(uint8_t* bits, size_t row_bytes, uint64_t words, const size_t rows) {
  for (size_t r = 0; r < rows; r++) {
    const uint16_t word = (uint16_t)(words >> (16 * r));
    memcpy(bits + r * row_bytes, &word, sizeof(word));
  }
}

/* at: column within limits. */
EB_NOINLINE void bit_tiles(const product* p, const eb_count_limits* l, size_t row, size_t end, size_t col, size_t at,
                           const uint8_t* expanded, const uint8_t* panel) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(p->args->n);
  uint32_t start[EB_TILE_COLS];
  for (size_t j = 0; j < EB_TILE_COLS; j++) {
    start[j] = -(uint32_t)(p->to_float.odd ? (l->limit[at + j] + 1) / 2 : l->limit[at + j]);
  }
  uint16_t flips;
  memcpy(&flips, l->flip + at / 8, sizeof(flips));
  const uint64_t flip = (uint16_t)~flips * 0x0001000100010001;
  uint8_t* bits = p->args->epilogue.bits[0] + row * row_bytes + col / 8;
  for (; row + 4 <= end; row += 4, expanded += p->group_bytes, bits += 4 * row_bytes) {
    store_rows(bits, row_bytes, bit_tile(p, expanded, panel, start) ^ flip, 4);
  }
  if (row < end) store_rows(bits, row_bytes, bit_tile(p, expanded, panel, start) ^ flip, end - row);
}

#endif
