/* Packs a right-hand side that is only known at run time into the panels that eb_f32_gemm reads.
 *
 * b: dense [k, n]. panels: [ceil(n / nr)][k][nr] floats, zero padded; nr is the path's panel width (variants.inc). */
#ifndef EDGEBIN_F32_GEMM_PACK_H
#define EDGEBIN_F32_GEMM_PACK_H

#include <stddef.h>
#include <string.h>

static inline void eb_f32_pack(const float* b, size_t k, size_t n, size_t nr, float* panels) {
  for (size_t col = 0; col < n; col += nr) {
    const size_t width = n - col < nr ? n - col : nr;
    for (size_t p = 0; p < k; p++, panels += nr) {
      memcpy(panels, b + p * n + col, width * sizeof(float));
      if (width < nr) memset(panels + width, 0, (nr - width) * sizeof(float));
    }
  }
}

#endif
