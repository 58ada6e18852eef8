/* The stencil over vectors of channels. Include after a simd/f32_*.h. */
#define EB_STRIP_VECTORS VF_ROW_VECTORS
#include "../epilogue/epilogue.h"
#include "taps.h"

EB_INLINE void stencil_tile(const eb_f32_stencil_args* args, const eb_stencil_reads* reads, size_t pixel, size_t c,
                            size_t count) {
  vf v[EB_STRIP_VECTORS], x[EB_STRIP_VECTORS], w[EB_STRIP_VECTORS];
  eb_load_cols(v, args->bias + c, count);
  for (size_t t = 0; t < reads->count; t++) {
    eb_load_cols(x, reads->x[t] + c, count);
    eb_load_cols(w, reads->taps[t] + c, count);
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_fma(x[i], w[i], v[i]);
  }
  if (args->skip) {
    eb_load_cols(x, args->skip + pixel + c, count);
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_add(v[i], x[i]);
  }
  eb_store_cols(args->y + pixel + c, v, count);
}

void EB_SYMBOL(eb_f32_stencil)(const eb_f32_stencil_args* args) {
  const size_t whole = args->c - args->c % EB_STRIP_COLS;
  for (size_t row = args->row_begin; row < args->row_end; row++) {
    for (size_t col = 0; col < args->w; col++) {
      const eb_stencil_reads reads = eb_stencil_reads_of(args, row, col);
      const size_t pixel = (row * args->w + col) * args->c;
      for (size_t c = 0; c < whole; c += EB_STRIP_COLS) stencil_tile(args, &reads, pixel, c, EB_STRIP_COLS);
      if (whole < args->c) stencil_tile(args, &reads, pixel, whole, args->c - whole);
    }
  }
}
