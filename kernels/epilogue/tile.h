/* The epilogue of a register tile of a GEMM. Include where epilogue.h may be included. */
#ifndef EDGEBIN_EPILOGUE_TILE_H
#define EDGEBIN_EPILOGUE_TILE_H

#include "epilogue.h"

/* Out of line: one copy serves every height of tile. */
EB_NOINLINE void eb_epilogue_tile(const eb_epilogue* e, size_t n, size_t row, size_t rows, size_t col,
                                  vf tile[][EB_TILE_VECTORS]) {
  if (col + EB_TILE_COLS <= n) {
    for (size_t i = 0; i < rows; i++) eb_epilogue_row(e, n, row + i, col, EB_TILE_COLS, tile[i]);
  } else {
    for (size_t i = 0; i < rows; i++) eb_epilogue_row(e, n, row + i, col, n - col, tile[i]);
  }
}

#endif
