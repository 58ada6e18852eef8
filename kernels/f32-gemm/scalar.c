/* Panels of one channel are plain rows of floats. */
#include "../epilogue/scalar.h"

void eb_f32_gemm__scalar(const eb_f32_gemm_args* args) {
  const size_t n = args->n, k = args->k;
  const size_t width = args->epilogue.pool > 1 ? args->epilogue.pool : 1;
  const float* w = args->w;
  float v[8];
  for (size_t i = 0; i < args->m; i++) {
    for (size_t first = 0; first < n; first += width) {
      for (size_t j = 0; j < width; j++) {
        float acc = 0.0f;
        for (size_t p = 0; p < k; p++) acc = fmaf(args->a[i * k + p], w[(first + j) * k + p], acc);
        v[j] = eb_epilogue_value(&args->epilogue, n, i, first + j, acc);
      }
      eb_epilogue_store(&args->epilogue, n, i, first, width, v);
    }
  }
}
