/* The epilogue of a register tile of a GEMM. Include where epilogue.h may be included, with EB_TILE_VECTORS defined. */
#ifndef EDGEBIN_EPILOGUE_TILE_H
#define EDGEBIN_EPILOGUE_TILE_H

#define EB_TILE_COLS (EB_TILE_VECTORS * VF_LANES)
#if EB_TILE_VECTORS < VF_STRIP_VECTORS
#define EB_STRIP_VECTORS EB_TILE_VECTORS
#else
#define EB_STRIP_VECTORS VF_STRIP_VECTORS
#endif
#include "epilogue.h"

EB_INLINE void eb_tile_strip(const eb_epilogue* e, size_t n, size_t row, const int rows, size_t col, size_t count,
                             const vf* tile) {
  vf v[VF_STRIP_ROWS][EB_STRIP_VECTORS];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[r][i] = tile[r * EB_TILE_VECTORS + i];
  }
  eb_epilogue_strip(e, n, row, rows, col, count, v);
}

/* Out of line, for its registers. */
EB_NOINLINE void eb_tile_strip_rows(const eb_epilogue* e, size_t n, size_t row, size_t col, const vf* tile) {
  eb_tile_strip(e, n, row, VF_STRIP_ROWS, col, EB_STRIP_COLS, tile);
}

EB_NOINLINE void eb_tile_strip_row(const eb_epilogue* e, size_t n, size_t row, size_t col, const vf* tile) {
  if (col + EB_STRIP_COLS <= n) {
    eb_tile_strip(e, n, row, 1, col, EB_STRIP_COLS, tile);
  } else {
    eb_tile_strip(e, n, row, 1, col, n - col, tile);
  }
}

/* rows x EB_TILE_VECTORS accumulators. Out of line: one copy serves every height of tile. */
EB_NOINLINE void eb_epilogue_tile(const eb_epilogue* e, size_t n, size_t row, size_t rows, size_t col, const vf* tile) {
  const int strips = eb_residuals_are_strips(e);
  for (size_t v = 0; v < EB_TILE_VECTORS && col < n; v += EB_STRIP_VECTORS, col += EB_STRIP_COLS) {
    size_t r = 0;
    if (strips && col + EB_STRIP_COLS <= n) {
      for (; r + VF_STRIP_ROWS <= rows; r += VF_STRIP_ROWS) {
        eb_tile_strip_rows(e, n, row + r, col, tile + r * EB_TILE_VECTORS + v);
      }
    }
    for (; r < rows; r++) eb_tile_strip_row(e, n, row + r, col, tile + r * EB_TILE_VECTORS + v);
  }
  if (col >= n) eb_pad_bits(e, n, row, rows);
}

#endif
