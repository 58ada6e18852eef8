/* eb_quantize, word for word as edgebin.h states it. */
#include <math.h>

#include "edgebin.h"

/* Added and taken away, it leaves the nearest integer: floats near it are integers, and ties go to even ones. */
#define TO_INTEGER 0x1.8p23f

void eb_quantize__scalar(const eb_quantize_args* args) {
  const size_t n = args->n;
  for (size_t i = 0; i < args->m; i++) {
    const float* x = args->x + i * n;
    float largest = 0.0f;
    for (size_t j = 0; j < n; j++) largest = fabsf(x[j]) > largest ? fabsf(x[j]) : largest;
    const int tiny = largest < 0x1p-100f;
    const float factor = tiny ? 0.0f : 127.0f / largest;
    args->scale[i] = tiny ? 0.0f : largest / 127.0f;
    for (size_t j = 0; j < n; j++) {
      const float shifted = x[j] * factor + TO_INTEGER;
      args->q[i * n + j] = (int8_t)(shifted - TO_INTEGER);
    }
  }
}
