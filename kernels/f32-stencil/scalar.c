#include <math.h>

#include "taps.h"

void eb_f32_stencil__scalar(const eb_f32_stencil_args* args) {
  for (size_t row = args->row_begin; row < args->row_end; row++) {
    for (size_t col = 0; col < args->w; col++) {
      const eb_stencil_reads reads = eb_stencil_reads_of(args, row, col);
      const size_t pixel = (row * args->w + col) * args->c;
      for (size_t c = 0; c < args->c; c++) {
        float v = args->bias[c];
        for (size_t t = 0; t < reads.count; t++) v = fmaf(reads.x[t][c], reads.taps[t][c], v);
        args->y[pixel + c] = args->skip ? v + args->skip[pixel + c] : v;
      }
    }
  }
}
