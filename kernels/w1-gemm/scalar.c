/* Panels of eight channels: one byte per step of k. */
#include "../epilogue/scalar.h"

void eb_w1_gemm__scalar(const eb_w1_gemm_args* args) {
  const size_t n = args->n, k = args->k;
  const size_t width = args->epilogue.pool > 1 ? args->epilogue.pool : 1;
  const uint8_t* w = args->w;
  float v[8];
  for (size_t i = 0; i < args->m; i++) {
    for (size_t first = 0; first < n; first += width) {
      for (size_t j = 0; j < width; j++) {
        const size_t column = first + j;
        const uint8_t* panel = w + column / 8 * k;
        float acc = 0.0f;
        for (size_t p = 0; p < k; p++) {
          const float x = args->a[i * k + p];
          acc = panel[p] >> (column % 8) & 1 ? acc - x : acc + x;
        }
        v[j] = eb_epilogue_value(&args->epilogue, n, i, column, acc);
      }
      eb_epilogue_store(&args->epilogue, n, i, first, width, v);
    }
  }
}
