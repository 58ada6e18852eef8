/* Where the nine taps of the plus lie, in the order of edgebin.h, and which pixel each reads. */
#ifndef EDGEBIN_F32_STENCIL_TAPS_H
#define EDGEBIN_F32_STENCIL_TAPS_H

#include "edgebin.h"

#define EB_TAPS 9

typedef struct {
  size_t count;
  const float* x[EB_TAPS];    /* channel 0 of the pixel */
  const float* taps[EB_TAPS]; /* channel 0 of its weights */
} eb_stencil_reads;

/* Taps outside a zero-padded image are left out. */
static inline eb_stencil_reads eb_stencil_reads_of(const eb_f32_stencil_args* args, size_t row, size_t col) {
  static const int kRow[EB_TAPS] = {0, -1, 1, -2, 2, 0, 0, 0, 0};
  static const int kCol[EB_TAPS] = {0, 0, 0, 0, 0, -1, 1, -2, 2};
  const ptrdiff_t h = (ptrdiff_t)args->h, w = (ptrdiff_t)args->w;
  eb_stencil_reads reads = {0};
  for (int t = 0; t < EB_TAPS; t++) {
    ptrdiff_t y = (ptrdiff_t)row + kRow[t], x = (ptrdiff_t)col + kCol[t];
    if (args->circular) {
      y = (y % h + h) % h;
      x = (x % w + w) % w;
    } else if (y < 0 || y >= h || x < 0 || x >= w) {
      continue;
    }
    reads.x[reads.count] = args->x + ((size_t)y * args->w + (size_t)x) * args->c;
    reads.taps[reads.count++] = args->taps + (size_t)t * args->c;
  }
  return reads;
}

#endif
