/* eb_epilogue, word for word as edgebin.h states it. */
#ifndef EDGEBIN_EPILOGUE_SCALAR_H
#define EDGEBIN_EPILOGUE_SCALAR_H

#include <math.h>
#include <string.h>

#include "../internal/compiler.h"
#include "edgebin.h"

EB_INLINE float eb_epilogue_value(const eb_epilogue* e, size_t n, size_t i, size_t j, float acc) {
  const float bias = e->bias ? e->bias[j] : 0.0f;
  float v = e->scale ? fmaf(acc, e->scale[j], bias) : acc + bias;
  for (int r = 0; r < EB_MAX_RESIDUALS && e->residual[r]; r++) {
    const size_t cols = e->residual_cols[r];
    v = v + e->residual[r][i * cols + j % cols];
  }
  if (e->slope) v = v < 0.0f ? v * e->slope[j] : v;
  if (e->offset) v = v + e->offset[j];
  if (e->gain) v = fmaf(v, e->gain[j], e->shift[j]);
  if (e->skip) v = v + e->skip[i * n + j];
  return v;
}

/* Columns first .. first+count-1 of row i; count is the pool width, v holds their values. */
EB_INLINE void eb_epilogue_store(const eb_epilogue* e, size_t n, size_t i, size_t first, size_t count, float* v) {
  for (int p = 0; p < EB_MAX_BIT_PLANES && e->threshold[p]; p++) {
    uint8_t* row = e->bits[p] + i * EB_BIT_ROW_BYTES(n);
    if (first == 0) memset(row, 0, EB_BIT_ROW_BYTES(n));
    for (size_t j = 0; j < count; j++) {
      const size_t column = first + j;
      if (v[j] < e->threshold[p][column]) row[column / 8] |= (uint8_t)(1u << (column % 8));
    }
  }
  if (!e->out) return;
  for (size_t width = count; width > 1; width /= 2) {
    for (size_t j = 0; j < width / 2; j++) v[j] = v[2 * j] + v[2 * j + 1];
  }
  e->out[(i * n + first) / count] = count > 1 ? v[0] * (1.0f / (float)count) : v[0];
}

#endif
