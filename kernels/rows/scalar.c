/* eb_rows, word for word as edgebin.h states it. */
#include "../epilogue/scalar.h"

void eb_rows__scalar(const eb_rows_args* args) {
  const size_t n = args->n;
  const size_t width = args->epilogue.pool > 1 ? args->epilogue.pool : 1;
  float v[8];
  for (size_t i = 0; i < args->m; i++) {
    for (size_t first = 0; first < n; first += width) {
      for (size_t j = 0; j < width; j++) {
        const size_t at = i * n + first + j;
        const float x = args->x_f32 ? args->x_f32[at] : (float)args->x_i32[at];
        v[j] = eb_epilogue_value(&args->epilogue, n, i, first + j, x);
      }
      eb_epilogue_store(&args->epilogue, n, i, first, width, v);
    }
  }
}
