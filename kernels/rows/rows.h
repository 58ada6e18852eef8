/* The elementwise kernel: one strip of a row at a time. Include after a simd/f32_*.h. */
#define EB_STRIP_VECTORS VF_ROW_VECTORS
#include "tile.h"

void EB_SYMBOL(eb_rows)(const eb_rows_args* args) {
  const size_t whole = args->n - args->n % EB_STRIP_COLS;
  for (size_t row = 0; row < args->m; row++) {
    for (size_t col = 0; col < whole; col += EB_STRIP_COLS) rows_tile(args, row, col, EB_STRIP_COLS);
    if (whole < args->n) rows_tile(args, row, whole, args->n - whole);
    eb_pad_bits(&args->epilogue, args->n, row, 1);
  }
}
