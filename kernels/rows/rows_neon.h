/* The elementwise kernel on NEON, four rows x 16 columns at a time, so that what belongs to a column is loaded once for
 * four rows, and their bits are packed together. Rows and columns that are left over go through rows.h's tile.
 *
 * Registers: 16 of values, 4 of a column's parameters. Bound by issue: at least FMLA, FCMGT and 1.4 instructions of
 * packing for four values that become bits. 196 x 384 from floats, affine, to bits: 2.4 instructions per value (QEMU),
 * by the model 1.5 cycles on a Cortex-A72 and 0.8 on a Cortex-A76.
 */
#define EB_STRIP_ROWS 4
#include "tile.h"

#include "../epilogue/neon_stages.h"

EB_INLINE void load_strip(const eb_rows_args* args, size_t row, size_t col, vf v[EB_STRIP_ROWS][4]) {
  EB_UNROLL for (int r = 0; r < EB_STRIP_ROWS; r++) {
    const size_t at = (row + (size_t)r) * args->n + col;
    EB_UNROLL for (int i = 0; i < 4; i++) {
      v[r][i] = args->x_f32 ? vf_load(args->x_f32 + at + 4 * i) : vf_load_i32(args->x_i32 + at + 4 * i);
    }
  }
}

/* 64 columns of a row of floats as 64 bits. */
EB_INLINE void bits_of_64(const float* x, const float* threshold, uint8_t* bits) {
  uint8x16_t bytes[4];
  EB_UNROLL for (int i = 0; i < 4; i++) {
    vf v[4], t[4];
    eb_load_4(v, x + 16 * i);
    eb_load_4(t, threshold + 16 * i);
    bytes[i] = vf_less_bytes(v, t);
  }
  const uint8x16_t sum = vpaddq_u8(vpaddq_u8(bytes[0], bytes[1]), vpaddq_u8(bytes[2], bytes[3]));
  vst1_u8(bits, vget_low_u8(vpaddq_u8(sum, sum)));
}

/* Strips of four rows to one plane of bits and nothing else: packing signs is this. 196 x 384 from floats: 1.0
 * instructions per value (QEMU), where the general way takes 2.2. */
EB_INLINE size_t strips_to_bits(const eb_rows_args* args, const eb_epilogue* epilogue) {
  const eb_epilogue e = eb_epilogue_of(epilogue, EB_BITS);
  const size_t n = args->n, row_bytes = EB_BIT_ROW_BYTES(n), words = n - n % 64, whole = n - n % EB_STRIP_COLS;
  size_t row = 0;
  for (; row + EB_STRIP_ROWS <= args->m; row += EB_STRIP_ROWS) {
    for (size_t r = row; r < row + EB_STRIP_ROWS; r++) {
      for (size_t col = 0; col < words; col += 64) {
        bits_of_64(args->x_f32 + r * n + col, e.threshold[0] + col, e.bits[0] + r * row_bytes + col / 8);
      }
    }
    for (size_t col = words; col < whole; col += EB_STRIP_COLS) {
      vf v[EB_STRIP_ROWS][4];
      load_strip(args, row, col, v);
      eb_strip_bits(&e, n, row, EB_STRIP_ROWS, col, v);
    }
    for (size_t r = row; whole < n && r < row + EB_STRIP_ROWS; r++) rows_tile(args, r, whole, n - whole);
  }
  return row;
}

void EB_SYMBOL(eb_rows)(const eb_rows_args* args) {
  const eb_epilogue epilogue = args->epilogue;
  const unsigned stages = eb_stages_of(&epilogue);
  const size_t n = args->n, whole = n - n % EB_STRIP_COLS;
  size_t row = 0;
  if (stages == EB_BITS && args->x_f32 && eb_one_of_each(&epilogue)) row = strips_to_bits(args, &epilogue);
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
