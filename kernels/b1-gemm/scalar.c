/* Panels of one channel and 8-bit words are plain rows of bits. */
#include "../epilogue/scalar.h"

static int64_t differing_bits(const uint8_t* a, const uint8_t* b, size_t bytes) {
  int64_t count = 0;
  for (size_t i = 0; i < bytes; i += 8) {
    uint64_t x, y;
    memcpy(&x, a + i, 8);
    memcpy(&y, b + i, 8);
    count += __builtin_popcountll(x ^ y);
  }
  return count;
}

void eb_b1_gemm__scalar(const eb_b1_gemm_args* args) {
  const size_t n = args->n, row_bytes = EB_BIT_ROW_BYTES(args->k);
  const size_t width = args->epilogue.pool > 1 ? args->epilogue.pool : 1;
  const uint8_t* planes[2] = {args->a, args->a2 ? args->a2 : args->a};
  float v[8];
  for (size_t i = 0; i < args->m; i++) {
    for (size_t first = 0; first < n; first += width) {
      for (size_t j = 0; j < width; j++) {
        const uint8_t* w = (const uint8_t*)args->w + (first + j) * row_bytes;
        int64_t acc = (int64_t)args->k;
        for (int p = 0; p < 2; p++) acc -= differing_bits(planes[p] + i * row_bytes, w, row_bytes);
        v[j] = eb_epilogue_value(&args->epilogue, n, i, first + j, (float)acc);
      }
      eb_epilogue_store(&args->epilogue, n, i, first, width, v);
    }
  }
}
