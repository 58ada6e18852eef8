/* eb_layernorm, word for word as edgebin.h states it. */
#include "../epilogue/scalar.h"

#define LANES 16

static float total(float* lane) {
  for (size_t width = LANES / 2; width > 0; width /= 2) {
    for (size_t l = 0; l < width; l++) lane[l] = lane[l] + lane[l + width];
  }
  return lane[0];
}

void eb_layernorm__scalar(const eb_layernorm_args* args) {
  const size_t n = args->n;
  const size_t width = args->epilogue.pool > 1 ? args->epilogue.pool : 1;
  float v[8];
  for (size_t i = 0; i < args->m; i++) {
    const float* x = args->x + i * n;
    float sums[LANES] = {0}, squares[LANES] = {0};
    for (size_t j = 0; j < n; j++) sums[j % LANES] = sums[j % LANES] + x[j];
    const float mean = total(sums) / (float)n;
    for (size_t j = 0; j < n; j++) squares[j % LANES] = fmaf(x[j] - mean, x[j] - mean, squares[j % LANES]);
    const float rstd = 1.0f / sqrtf(total(squares) / (float)n + args->epsilon);
    for (size_t first = 0; first < n; first += width) {
      for (size_t j = 0; j < width; j++) {
        v[j] = eb_epilogue_value(&args->epilogue, n, i, first + j, (x[first + j] - mean) * rstd);
      }
      eb_epilogue_store(&args->epilogue, n, i, first, width, v);
    }
  }
}
