/* The vector form of eb_epilogue, for strips of a few rows by EB_STRIP_VECTORS vectors, so that what belongs to a
 * column is loaded once for all rows of a strip.
 *
 * A file that includes this has included one simd/f32_*.h and defined EB_STRIP_VECTORS, so that a strip has 16, 32 or
 * 64 columns. Stages are tested for NULL once per strip: the branches are the same for a whole call and cost nothing.
 * Vectors of exactly n entries end where they end, so the last strip of a row goes through a copy on the stack.
 */
#ifndef EDGEBIN_EPILOGUE_H
#define EDGEBIN_EPILOGUE_H

#include <string.h>

#include "edgebin.h"
#include "stages.h"

#define EB_STRIP_COLS (EB_STRIP_VECTORS * VF_LANES)

EB_INLINE void eb_load_cols(vf* v, const float* p, size_t count) {
  if (count == EB_STRIP_COLS) {
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_load(p + i * VF_LANES);
  } else {
    float copy[EB_STRIP_COLS] = {0};
    memcpy(copy, p, count * sizeof(float));
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_load(copy + i * VF_LANES);
  }
}

EB_INLINE void eb_store_cols(float* p, const vf* v, size_t count) {
  if (count == EB_STRIP_COLS) {
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) vf_store(p + i * VF_LANES, v[i]);
  } else {
    float copy[EB_STRIP_COLS];
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) vf_store(copy + i * VF_LANES, v[i]);
    memcpy(p, copy, count * sizeof(float));
  }
}

/* Columns at .. at+count-1 of a row that repeats every `cols` columns; at < cols. */
EB_INLINE void eb_load_wrapped(vf* v, const float* row, size_t cols, size_t at, size_t count) {
  if (at + count <= cols) {
    eb_load_cols(v, row + at, count);
  } else {
    float copy[EB_STRIP_COLS] = {0};
    for (size_t j = 0, from = at; j < count; j++, from = from + 1 == cols ? 0 : from + 1) copy[j] = row[from];
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_load(copy + i * VF_LANES);
  }
}

/* The sums of 2^levels neighbours each; p may end behind `count` columns of the strip. */
EB_INLINE void eb_store_pool_sums(float* p, const vf* v, const int levels, size_t count) {
  vf sum[EB_STRIP_VECTORS];
  int vectors = EB_STRIP_VECTORS;
  EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) sum[i] = v[i];
  EB_UNROLL for (int level = 0; level < levels; level++) {
    if (vectors > 1) {
      vectors /= 2;
      EB_UNROLL for (int i = 0; i < vectors; i++) sum[i] = vf_pair_add(sum[2 * i], sum[2 * i + 1]);
    } else {
      sum[0] = vf_pair_add(sum[0], sum[0]);
    }
  }
  const vf share = vf_set1(1.0f / (float)(1 << levels));
  EB_UNROLL for (int i = 0; i < vectors; i++) sum[i] = vf_mul(sum[i], share);
  if (count == EB_STRIP_COLS && EB_STRIP_COLS >> levels >= VF_LANES) {
    EB_UNROLL for (int i = 0; i < vectors; i++) vf_store(p + i * VF_LANES, sum[i]);
    return;
  }
  float copy[EB_STRIP_COLS];
  EB_UNROLL for (int i = 0; i < vectors; i++) vf_store(copy + i * VF_LANES, sum[i]);
  if (count == EB_STRIP_COLS) {
    memcpy(p, copy, (EB_STRIP_COLS >> levels) * sizeof(float));
  } else {
    memcpy(p, copy, (count >> levels) * sizeof(float));
  }
}

EB_INLINE void eb_store_pooled(float* p, const vf* v, size_t pool, size_t count) {
  if (pool == 2) {
    eb_store_pool_sums(p, v, 1, count);
  } else if (pool == 4) {
    eb_store_pool_sums(p, v, 2, count);
  } else {
    eb_store_pool_sums(p, v, 3, count);
  }
}

EB_INLINE void eb_store_bits(uint8_t* row, uint64_t bits, size_t col, size_t count) {
  if (count < 64) bits &= ((uint64_t)1 << count) - 1;
  memcpy(row + col / 8, &bits, EB_STRIP_COLS / 8);
}

/* Clears what the last strip of a row leaves of its bits. */
EB_INLINE void eb_pad_bits(const eb_epilogue* e, size_t n, size_t row, size_t rows) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(n), written = EB_CEIL_DIV(n, EB_STRIP_COLS) * EB_STRIP_COLS / 8;
  if (written == row_bytes) return;
  for (int p = 0; p < EB_MAX_BIT_PLANES && e->threshold[p]; p++) {
    for (size_t r = row; r < row + rows; r++) memset(e->bits[p] + r * row_bytes + written, 0, row_bytes - written);
  }
}

/* No residual wraps round inside a strip. */
EB_INLINE int eb_residuals_are_strips(const eb_epilogue* e) {
  for (int source = 0; source < EB_MAX_RESIDUALS && e->residual[source]; source++) {
    if (e->residual_cols[source] % EB_STRIP_COLS) return 0;
  }
  return 1;
}

/* Rows row .. row+rows-1, columns col .. col+count-1 of an [.., n] result; v holds the accumulators. Strips of several
 * rows are whole and need eb_residuals_are_strips: then nothing here calls a function, and v stays in registers. The
 * caller pads the bits of each row. `stages`, a constant: eb_stages_of(e), or EB_ANY_STAGES.
 */
EB_INLINE void eb_epilogue_strip_of(const unsigned stages, const eb_epilogue* e, size_t n, size_t row, const int rows,
                                    size_t col, size_t count, vf v[][EB_STRIP_VECTORS]) {
  vf a[EB_STRIP_VECTORS], b[EB_STRIP_VECTORS];
  const int any = stages == EB_ANY_STAGES;
#define EB_HAS(stage, pointer) (any ? (pointer) != NULL : (stages & (stage)) != 0)
#define EB_EACH_ROW EB_UNROLL for (int r = 0; r < rows; r++)
#define EB_EACH EB_EACH_ROW EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++)

  EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) b[i] = vf_set1(0.0f);
  if (EB_HAS(EB_BIAS, e->bias)) eb_load_cols(b, e->bias + col, count);
  if (EB_HAS(EB_SCALE, e->scale)) {
    eb_load_cols(a, e->scale + col, count);
    EB_EACH v[r][i] = vf_fma(v[r][i], a[i], b[i]);
  } else {
    EB_EACH v[r][i] = vf_add(v[r][i], b[i]);
  }
  for (int source = 0; EB_HAS(EB_RESIDUAL, e->residual[0]) && source < EB_MAX_RESIDUALS && e->residual[source];
       source++) {
    const size_t cols = e->residual_cols[source], at = col < cols ? col : col % cols;
    EB_EACH_ROW {
      const float* residual = e->residual[source] + (row + (size_t)r) * cols;
      if (rows > 1) {
        eb_load_cols(a, residual + at, count);
      } else {
        eb_load_wrapped(a, residual, cols, at, count);
      }
      EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[r][i] = vf_add(v[r][i], a[i]);
    }
  }
  if (EB_HAS(EB_SLOPE, e->slope)) {
    eb_load_cols(a, e->slope + col, count);
    EB_EACH v[r][i] = vf_leaky(v[r][i], a[i]);
  }
  if (EB_HAS(EB_OFFSET, e->offset)) {
    eb_load_cols(a, e->offset + col, count);
    EB_EACH v[r][i] = vf_add(v[r][i], a[i]);
  }
  if (EB_HAS(EB_GAIN, e->gain)) {
    eb_load_cols(a, e->gain + col, count);
    eb_load_cols(b, e->shift + col, count);
    EB_EACH v[r][i] = vf_fma(v[r][i], a[i], b[i]);
  }
  if (EB_HAS(EB_SKIP, e->skip)) {
    EB_EACH_ROW {
      eb_load_cols(a, e->skip + (row + (size_t)r) * n + col, count);
      EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[r][i] = vf_add(v[r][i], a[i]);
    }
  }
  if (EB_HAS(EB_POOLED, e->out) && e->pool > 1) {
    EB_EACH_ROW eb_store_pooled(e->out + ((row + (size_t)r) * n + col) / e->pool, v[r], e->pool, count);
  } else if (EB_HAS(EB_OUT, e->out)) {
    EB_EACH_ROW eb_store_cols(e->out + (row + (size_t)r) * n + col, v[r], count);
  }
  for (int p = 0; EB_HAS(EB_BITS, e->threshold[0]) && p < EB_MAX_BIT_PLANES && e->threshold[p]; p++) {
    eb_load_cols(a, e->threshold[p] + col, count);
    EB_EACH_ROW {
      uint8_t* bits = e->bits[p] + (row + (size_t)r) * EB_BIT_ROW_BYTES(n);
      eb_store_bits(bits, vf_less_bits(v[r], a, EB_STRIP_VECTORS), col, count);
    }
  }
#undef EB_EACH
#undef EB_EACH_ROW
#undef EB_HAS
}

EB_INLINE void eb_epilogue_strip(const eb_epilogue* e, size_t n, size_t row, const int rows, size_t col, size_t count,
                                 vf v[][EB_STRIP_VECTORS]) {
  eb_epilogue_strip_of(EB_ANY_STAGES, e, n, row, rows, col, count, v);
}

/* Stages of layers that are met often: worth a copy of the code without tests for NULL. */
#define EB_COMMON_STAGES(X)       \
  X(EB_SCALE | EB_BIAS | EB_OUT)  \
  X(EB_SCALE | EB_BIAS | EB_BITS) \
  X(EB_SCALE | EB_BIAS | EB_RESIDUAL | EB_OUT)

#endif
