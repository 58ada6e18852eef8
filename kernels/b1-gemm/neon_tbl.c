/* eb_b1_gemm for cores that look up tables as fast as they count bits (Cortex-A76, A78AE), tiles of 2 rows x 64
 * channels.
 *
 * Blocks of rows whose indices fit INDEX_GROUPS are outermost, then panels, then pairs of rows. Where bits are all that
 * is stored they come from counts in registers (count_limits.h); else counts of two pairs go to memory for the
 * epilogue.
 */
#define EB_PATH neon_tbl
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 16
#include "../epilogue/tile.h"

#define EB_STRIP_ROWS 4
#include "../epilogue/neon_counts.h"
#include "count_limits.h"
#include "tbl_count.h"

#define INDEX_GROUPS 4096 /* 8 KB; of a multiple of 64 bits; no more than 20480 counts: they fit in 16 bits */
#define LIMIT_COLS 2048   /* columns whose limits are known at once */

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

/* Of LIMIT_COLS columns, for the panel of a block. */
typedef struct {
  uint16_t limit[EB_MAX_BIT_PLANES][LIMIT_COLS];
  uint8_t byte_limit[EB_MAX_BIT_PLANES][LIMIT_COLS]; /* where counts fit in a byte */
  uint64_t first[EB_MAX_BIT_PLANES][LIMIT_COLS / 64];
  int in_bytes;
} limits;

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

/* Scale and bias, and a residual at will, from counts in registers: memory takes 128 bits in three cycles only. */
EB_INLINE void affine_tiles(const product* p, const block* b, const int residual) {
  const eb_epilogue* e = &p->args->epilogue;
  const size_t n = p->args->n;
  const uint16_t* index = b->index;
  for (size_t row = b->row; row < b->end; row += TBL_ROWS, index += p->planes * p->stride) {
    uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS];
    count_doubled(p, index, b->panel, counts);
    const float *scale = e->scale + b->col, *bias = e->bias + b->col;
    const float* source = residual ? e->residual[0] + row * n + b->col : NULL;
    float* out = e->out + row * n + b->col;
    EB_UNROLL for (int v = 0; v < 2 * TBL_VECTORS; v++) {
      EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) {
        const uint32x4_t sum[2] = {vaddw_u16(p->to_float.magic, vget_low_u16(counts[r][v])),
                                   vaddw_high_u16(p->to_float.magic, counts[r][v])};
        EB_UNROLL for (int i = 0; i < 2; i++) {
          const size_t j = 8 * (size_t)v + 4 * (size_t)i, at = (size_t)r * n + j;
          const vf acc = vf_sub(p->to_float.minuend, vreinterpretq_f32_u32(sum[i]));
          vf x = vf_fma(acc, vf_load(scale + j), vf_load(bias + j));
          if (residual) x = vf_add(x, vf_load(source + at));
          vf_store(out + at, x);
        }
      }
    }
  }
}

EB_NOINLINE void scaled_tiles(const product* p, const block* b) { affine_tiles(p, b, 0); }
EB_NOINLINE void residual_tiles(const product* p, const block* b) { affine_tiles(p, b, 1); }

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

/* Columns' masks -> bits, changed where the bit of count 0 is 1. */
EB_INLINE void store_bits(const product* p, int plane, const block* b, size_t row, uint64_t first,
                          uint8x16_t mask[TBL_ROWS][TBL_VECTORS]) {
  const uint8x16_t weight = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  uint8x16_t sum[TBL_ROWS];
  EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) {
    EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++) mask[r][v] = vandq_u8(mask[r][v], weight);
    sum[r] = vpaddq_u8(vpaddq_u8(mask[r][0], mask[r][1]), vpaddq_u8(mask[r][2], mask[r][3]));
  }
  const uint64x2_t words = veorq_u64(vreinterpretq_u64_u8(vpaddq_u8(sum[0], sum[1])), vdupq_n_u64(first));
  const size_t row_bytes = EB_BIT_ROW_BYTES(p->args->n);
  uint8_t* bits = p->args->epilogue.bits[plane] + row * row_bytes + b->col / 8;
  vst1_u8(bits, vreinterpret_u8_u64(vget_low_u64(words)));
  if (row + 1 < b->end) vst1_u8(bits + row_bytes, vreinterpret_u8_u64(vget_high_u64(words)));
}

EB_NOINLINE void bit_tiles(const product* p, const block* b, const limits* l, size_t limit_col) {
  const uint16_t* index = b->index;
  for (size_t row = b->row; row < b->end; row += TBL_ROWS, index += p->planes * p->stride) {
    uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS];
    count_pair(p, index, b->panel, counts);
    for (int plane = 0; plane < EB_MAX_BIT_PLANES && p->args->epilogue.threshold[plane]; plane++) {
      uint8x16_t mask[TBL_ROWS][TBL_VECTORS];
      EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++) {
        const uint16_t* at = l->limit[plane] + limit_col + 16 * v;
        const uint16x8_t low = vld1q_u16(at), high = vld1q_u16(at + 8);
        EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) {
          mask[r][v] = vuzp1q_u8(vreinterpretq_u8_u16(vcgtq_u16(counts[r][2 * v], low)),
                                 vreinterpretq_u8_u16(vcgtq_u16(counts[r][2 * v + 1], high)));
        }
      }
      store_bits(p, plane, b, row, l->first[plane][limit_col / 64], mask);
    }
  }
}

/* The same where a count fits in a byte. */
EB_NOINLINE void bit_tiles_of_bytes(const product* p, const block* b, const limits* l, size_t limit_col) {
  const uint16_t* index = b->index;
  for (size_t row = b->row; row < b->end; row += TBL_ROWS, index += p->stride) {
    uint8x16_t counts[TBL_ROWS][TBL_VECTORS];
    tbl_count_segment(index, b->panel, p->groups, counts);
    for (int plane = 0; plane < EB_MAX_BIT_PLANES && p->args->epilogue.threshold[plane]; plane++) {
      uint8x16_t mask[TBL_ROWS][TBL_VECTORS];
      EB_UNROLL for (int v = 0; v < TBL_VECTORS; v++) {
        const uint8x16_t limit = vld1q_u8(l->byte_limit[plane] + limit_col + 16 * v);
        EB_UNROLL for (int r = 0; r < TBL_ROWS; r++) mask[r][v] = vcgtq_u8(counts[r][v], limit);
      }
      store_bits(p, plane, b, row, l->first[plane][limit_col / 64], mask);
    }
  }
}

/* [pair of rows][plane][stride] */
static void index_rows(const product* p, size_t row, size_t end, uint16_t* index) {
  const uint8_t* planes[2] = {p->args->a, p->args->a2};
  for (; row < end; row += TBL_ROWS) {
    for (size_t plane = 0; plane < p->planes; plane++, index += p->stride) {
      const uint8_t* a = planes[plane] + row * p->row_bytes;
      tbl_index_pair(a, row + 1 < end ? a + p->row_bytes : a, p->row_bytes, index);
    }
  }
}

/* Whole tiles of a block whose rows are a multiple of four. */
static void whole_tiles(const product* p, const block* b) {
  const eb_epilogue* e = &p->args->epilogue;
  if (p->stages == (EB_SCALE | EB_BIAS | EB_OUT)) {
    scaled_tiles(p, b);
  } else if (p->stages == (EB_SCALE | EB_BIAS | EB_RESIDUAL | EB_OUT) && e->residual_cols[0] == p->args->n &&
             !e->residual[1]) {
    residual_tiles(p, b);
  } else {
    other_tiles(p, b);
  }
}

/* Columns col .. end_col-1; l: NULL, or the limits of these columns. */
static void multiply(const product* p, const limits* l, size_t col, size_t end_col) {
  uint16_t index[INDEX_GROUPS];
  const size_t n = p->args->n, pair_stride = p->planes * p->stride, pairs = INDEX_GROUPS / pair_stride;
  const size_t block_rows = pairs > 1 ? pairs / 2 * 4 : TBL_ROWS;
  for (size_t row = 0; row < p->args->m; row += block_rows) {
    block b = {.row = row, .end = EB_MIN(row + block_rows, p->args->m), .index = index};
    const size_t end = b.end, whole_end = row + (end - row) / 4 * 4;
    index_rows(p, row, end, index);
    b.panel = (const uint8_t*)p->args->w + col * p->groups;
    for (b.col = col; b.col < end_col; b.col += TBL_COLS, b.panel += TBL_COLS * p->groups) {
      if (l && l->in_bytes) {
        bit_tiles_of_bytes(p, &b, l, b.col - col);
      } else if (l) {
        bit_tiles(p, &b, l, b.col - col);
      } else {
        size_t done = row;
        if (p->in_strips && b.col + TBL_COLS <= n) {
          b.end = done = whole_end;
          whole_tiles(p, &b);
        }
        for (; done < end; done += 4) {
          partial_tile(p, done, EB_MIN(end - done, 4), b.col, index + (done - row) / 2 * pair_stride, b.panel);
        }
      }
    }
  }
}

/* Two rows by TBL_COLS columns of a k that the index of one pair does not hold. */
static void long_tile(const eb_b1_gemm_args* args, size_t row, size_t rows, size_t col, const uint8_t* panel) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(args->k), part_bytes = INDEX_GROUPS * TBL_BITS / 8;
  const uint8_t* planes[2] = {args->a, args->a2 ? args->a2 : args->a};
  vf acc[TBL_ROWS][EB_TILE_VECTORS];
  for (int i = 0; i < TBL_ROWS * EB_TILE_VECTORS; i++) acc[i / 16][i % 16] = vf_set1((float)args->k);
  for (int plane = 0; plane < 2; plane++) {
    const uint8_t* w = panel;
    for (size_t at = 0; at < row_bytes; at += part_bytes, w += INDEX_GROUPS * TBL_COLS) {
      const size_t bytes = EB_MIN(part_bytes, row_bytes - at);
      const uint8_t* a = planes[plane] + row * row_bytes + at;
      uint16_t index[INDEX_GROUPS];
      tbl_index_pair(a, rows > 1 ? a + row_bytes : a, bytes, index);
      uint16x8_t counts[TBL_ROWS][2 * TBL_VECTORS];
      tbl_count(index, w, TBL_GROUPS(bytes), counts);
      for (int i = 0; i < TBL_ROWS * EB_TILE_VECTORS; i += 2) {
        acc[i / 16][i % 16] =
            vf_sub(acc[i / 16][i % 16], vcvtq_f32_u32(vmovl_u16(vget_low_u16(counts[i / 16][i / 2 % 8]))));
        acc[i / 16][i % 16 + 1] =
            vf_sub(acc[i / 16][i % 16 + 1], vcvtq_f32_u32(vmovl_high_u16(counts[i / 16][i / 2 % 8])));
      }
    }
  }
  eb_epilogue_tile(&args->epilogue, args->n, row, rows, col, acc[0]);
}

static void multiply_long(const eb_b1_gemm_args* args, size_t groups) {
  for (size_t row = 0; row < args->m; row += TBL_ROWS) {
    const uint8_t* panel = args->w;
    for (size_t col = 0; col < args->n; col += TBL_COLS, panel += groups * TBL_COLS) {
      long_tile(args, row, EB_MIN(args->m - row, TBL_ROWS), col, panel);
    }
  }
}

void EB_SYMBOL(eb_b1_gemm)(const eb_b1_gemm_args* args) {
  const eb_epilogue* e = &args->epilogue;
  product p = {.args = args, .row_bytes = EB_BIT_ROW_BYTES(args->k), .planes = args->a2 ? 2 : 1};
  p.groups = TBL_GROUPS(p.row_bytes);
  p.stride = EB_CEIL_DIV(p.groups, TBL_INDEX_STEP) * TBL_INDEX_STEP;
  p.stages = eb_stages_of(e);
  p.doubled = args->a2 || args->k % 2;
  p.in_strips = eb_residuals_are_strips(e);
  p.to_float = eb_count_scale_of(args->k, p.doubled);
  if (p.planes * p.stride > INDEX_GROUPS) {
    multiply_long(args, p.groups);
  } else if (args->m < LIMIT_WORTH_ROWS || !has_limits(e, args->n)) {
    multiply(&p, NULL, 0, args->n);
  } else {
    const count_range range = {(float)args->k, args->a2 ? 1.0f : 2.0f, (uint32_t)(p.planes * args->k)};
    limits l;
    l.in_bytes = range.most <= UINT8_MAX && p.planes == 1;
    for (size_t col = 0; col < args->n; col += LIMIT_COLS) {
      const size_t end_col = EB_MIN(col + LIMIT_COLS, args->n);
      for (int plane = 0; plane < EB_MAX_BIT_PLANES && e->threshold[plane]; plane++) {
        uint32_t wide[LIMIT_COLS];
        find_limits(e, plane, col, end_col - col, range, wide, l.first[plane]);
        for (size_t j = 0; j < EB_CEIL_DIV(end_col - col, TBL_COLS) * TBL_COLS; j++) {
          l.limit[plane][j] = (uint16_t)wide[j];
          l.byte_limit[plane][j] = (uint8_t)wide[j];
        }
      }
      multiply(&p, &l, col, end_col);
    }
  }
}
