/* Panels of one channel are plain rows of bits. */
#include "../epilogue/scalar.h"
#include "../internal/bit.h"

size_t eb_w1i8_gemm_workspace__scalar(const eb_w1i8_gemm_args* args) {
  (void)args;
  return 0;
}

void eb_w1i8_gemm__scalar(const eb_w1i8_gemm_args* args) {
  const size_t n = args->n, k = args->k, row_bytes = EB_BIT_ROW_BYTES(k);
  const size_t width = args->epilogue.pool > 1 ? args->epilogue.pool : 1;
  const uint8_t* w = args->w;
  float v[8];
  for (size_t i = 0; i < args->m; i++) {
    for (size_t first = 0; first < n; first += width) {
      for (size_t j = 0; j < width; j++) {
        int32_t acc = 0;
        for (size_t p = 0; p < k; p++) {
          const int32_t x = args->a[i * k + p];
          acc += eb_bit(w + (first + j) * row_bytes, p) ? -x : x;
        }
        v[j] = eb_epilogue_value(&args->epilogue, n, i, first + j,
                                 args->row_scale ? (float)acc * args->row_scale[i] : (float)acc);
      }
      eb_epilogue_store(&args->epilogue, n, i, first, width, v);
    }
  }
}
