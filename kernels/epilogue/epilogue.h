/* The vector form of eb_epilogue, for one row of EB_TILE_VECTORS vectors at a time.
 *
 * A file that includes this has included one simd/f32_*.h and defined EB_TILE_VECTORS, so that a tile row has 16, 32 or
 * 64 columns. Stages are tested for NULL once per tile row: the branches are the same for a whole call and cost
 * nothing. Vectors of exactly n entries end where they end, so the last tile of a row goes through a copy on the stack.
 */
#ifndef EDGEBIN_EPILOGUE_H
#define EDGEBIN_EPILOGUE_H

#include <string.h>

#include "edgebin.h"

#define EB_TILE_COLS (EB_TILE_VECTORS * VF_LANES)

EB_INLINE void eb_load_cols(vf* v, const float* p, size_t count) {
  if (count == EB_TILE_COLS) {
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) v[i] = vf_load(p + i * VF_LANES);
  } else {
    float copy[EB_TILE_COLS] = {0};
    memcpy(copy, p, count * sizeof(float));
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) v[i] = vf_load(copy + i * VF_LANES);
  }
}

EB_INLINE void eb_store_cols(float* p, const vf* v, size_t count) {
  if (count == EB_TILE_COLS) {
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) vf_store(p + i * VF_LANES, v[i]);
  } else {
    float copy[EB_TILE_COLS];
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) vf_store(copy + i * VF_LANES, v[i]);
    memcpy(p, copy, count * sizeof(float));
  }
}

/* Columns col .. col+count-1 of a row that repeats every `cols` columns. */
EB_INLINE void eb_load_wrapped(vf* v, const float* row, size_t cols, size_t col, size_t count) {
  const size_t at = col < cols ? col : col % cols;
  if (at + count <= cols) {
    eb_load_cols(v, row + at, count);
  } else {
    float copy[EB_TILE_COLS] = {0};
    for (size_t j = 0, from = at; j < count; j++, from = from + 1 == cols ? 0 : from + 1) copy[j] = row[from];
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) v[i] = vf_load(copy + i * VF_LANES);
  }
}

EB_INLINE void eb_store_pooled(float* p, const vf* v, size_t pool, size_t count) {
  vf sum[EB_TILE_VECTORS];
  EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) sum[i] = v[i];
  for (size_t width = pool; width > 1; width /= 2) {
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS / 2; i++) sum[i] = vf_pair_add(sum[2 * i], sum[2 * i + 1]);
    if (EB_TILE_VECTORS == 1) sum[0] = vf_pair_add(sum[0], sum[0]);
  }
  float copy[EB_TILE_COLS];
  EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) {
    vf_store(copy + i * VF_LANES, vf_mul(sum[i], vf_set1(1.0f / (float)pool)));
  }
  memcpy(p, copy, count / pool * sizeof(float));
}

EB_INLINE void eb_store_bits(uint8_t* row, uint64_t bits, size_t n, size_t col, size_t count) {
  if (count < 64) bits &= ((uint64_t)1 << count) - 1;
  memcpy(row + col / 8, &bits, EB_TILE_COLS / 8);
  const size_t end = (col + EB_TILE_COLS) / 8;
  if (col + EB_TILE_COLS >= n && end < EB_BIT_ROW_BYTES(n)) memset(row + end, 0, EB_BIT_ROW_BYTES(n) - end);
}

/* Row `row`, columns col .. col+count-1 of an [.., n] result; col is a multiple of EB_TILE_COLS, v the accumulators. */
EB_INLINE void eb_epilogue_row(const eb_epilogue* e, size_t n, size_t row, size_t col, size_t count, vf* v) {
  vf a[EB_TILE_VECTORS], b[EB_TILE_VECTORS];
#define EB_EACH(statement) \
  EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) { statement; }

  EB_EACH(b[i] = vf_set1(0.0f))
  if (e->bias) eb_load_cols(b, e->bias + col, count);
  if (e->scale) {
    eb_load_cols(a, e->scale + col, count);
    EB_EACH(v[i] = vf_fma(v[i], a[i], b[i]))
  } else {
    EB_EACH(v[i] = vf_add(v[i], b[i]))
  }
  for (int r = 0; r < EB_MAX_RESIDUALS && e->residual[r]; r++) {
    const size_t cols = e->residual_cols[r];
    eb_load_wrapped(a, e->residual[r] + row * cols, cols, col, count);
    EB_EACH(v[i] = vf_add(v[i], a[i]))
  }
  if (e->slope) {
    eb_load_cols(a, e->slope + col, count);
    EB_EACH(v[i] = vf_leaky(v[i], a[i]))
  }
  if (e->offset) {
    eb_load_cols(a, e->offset + col, count);
    EB_EACH(v[i] = vf_add(v[i], a[i]))
  }
  if (e->gain) {
    eb_load_cols(a, e->gain + col, count);
    eb_load_cols(b, e->shift + col, count);
    EB_EACH(v[i] = vf_fma(v[i], a[i], b[i]))
  }
  if (e->skip) {
    eb_load_cols(a, e->skip + row * n + col, count);
    EB_EACH(v[i] = vf_add(v[i], a[i]))
  }
  if (e->out) {
    if (e->pool > 1) {
      eb_store_pooled(e->out + (row * n + col) / e->pool, v, e->pool, count);
    } else {
      eb_store_cols(e->out + row * n + col, v, count);
    }
  }
  for (int p = 0; p < EB_MAX_BIT_PLANES && e->threshold[p]; p++) {
    eb_load_cols(a, e->threshold[p] + col, count);
    eb_store_bits(e->bits[p] + row * EB_BIT_ROW_BYTES(n), vf_less_bits(v, a, EB_TILE_VECTORS), n, col, count);
  }
#undef EB_EACH
}

#endif
