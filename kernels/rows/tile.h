/* One strip of a row of the elementwise kernel: load, epilogue, store. Include after a simd/f32_*.h, with
 * EB_STRIP_VECTORS defined. */
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
