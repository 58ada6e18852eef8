/* The elementwise kernel on NEON, four rows x 16 columns at a time, so that what belongs to a column is loaded once for
 * four rows, and their bits are packed together. Rows and columns that are left over go through rows.h's tile.
 *
 * Registers: 16 of values, 4 of a column's parameters. Bound by issue: at least FMLA, FCMGT and 1.4 instructions of
 * packing for four values that become bits. 196 x 384 from floats, affine, to bits: 2.4 instructions per value (QEMU),
 * by the model 1.5 cycles on a Cortex-A72 and 0.8 on a Cortex-A76.
 */
#define EB_STRIP_ROWS 4
#include "tile.h"

#include "../epilogue/neon_counts.h"

EB_INLINE void load_strip(const eb_rows_args* args, size_t row, size_t col, vf v[EB_STRIP_ROWS][4]) {
  EB_UNROLL for (int r = 0; r < EB_STRIP_ROWS; r++) {
    const size_t at = (row + (size_t)r) * args->n + col;
    EB_UNROLL for (int i = 0; i < 4; i++) {
      v[r][i] = args->x_f32 ? vf_load(args->x_f32 + at + 4 * i) : vf_load_i32(args->x_i32 + at + 4 * i);
    }
  }
}

void EB_SYMBOL(eb_rows)(const eb_rows_args* args) {
  const eb_epilogue epilogue = args->epilogue;
  const unsigned stages = eb_stages_of(&epilogue);
  const size_t n = args->n, whole = n - n % EB_STRIP_COLS;
  size_t row = 0;
  if (eb_residuals_are_strips(&epilogue)) {
    for (; row + EB_STRIP_ROWS <= args->m; row += EB_STRIP_ROWS) {
      for (size_t col = 0; col < whole; col += EB_STRIP_COLS) {
        vf v[EB_STRIP_ROWS][4];
        load_strip(args, row, col, v);
        eb_stage_strip(&epilogue, stages, n, row, EB_STRIP_ROWS, col, v);
      }
      for (size_t r = row; whole < n && r < row + EB_STRIP_ROWS; r++) rows_tile(args, r, whole, n - whole);
    }
  }
  for (; row < args->m; row++) {
    for (size_t col = 0; col < whole; col += EB_STRIP_COLS) rows_tile(args, row, col, EB_STRIP_COLS);
    if (whole < n) rows_tile(args, row, whole, n - whole);
  }
  eb_pad_bits(&epilogue, n, 0, args->m);
}
