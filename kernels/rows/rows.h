/* The elementwise kernel: load, epilogue, store, one strip of a row at a time. Include after a simd/f32_*.h. */
#define EB_STRIP_VECTORS VF_ROW_VECTORS
#include "../epilogue/epilogue.h"

EB_INLINE void rows_tile(const eb_rows_args* args, size_t row, size_t col, size_t count) {
  const size_t at = row * args->n + col;
  vf v[1][EB_STRIP_VECTORS];
  if (args->x_f32) {
    eb_load_cols(v[0], args->x_f32 + at, count);
  } else if (count == EB_STRIP_COLS) {
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[0][i] = vf_load_i32(args->x_i32 + at + i * VF_LANES);
  } else {
    int32_t copy[EB_STRIP_COLS] = {0};
    memcpy(copy, args->x_i32 + at, count * sizeof(int32_t));
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[0][i] = vf_load_i32(copy + i * VF_LANES);
  }
  eb_epilogue_strip(&args->epilogue, args->n, row, 1, col, count, v);
}

void EB_SYMBOL(eb_rows)(const eb_rows_args* args) {
  const size_t whole = args->n - args->n % EB_STRIP_COLS;
  for (size_t row = 0; row < args->m; row++) {
    for (size_t col = 0; col < whole; col += EB_STRIP_COLS) rows_tile(args, row, col, EB_STRIP_COLS);
    if (whole < args->n) rows_tile(args, row, whole, args->n - whole);
    eb_pad_bits(&args->epilogue, args->n, row, 1);
  }
}
