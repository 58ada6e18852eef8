/* Word for word as edgebin.h states it. Panels of one channel and 8-bit words are plain rows of bits. */
#include "../epilogue/scalar.h"
#include "../internal/bit.h"

size_t eb_b1_conv_workspace__scalar(const eb_b1_conv_args* args) {
  (void)args;
  return 0;
}

static int32_t convolve(const eb_b1_conv_args* args, size_t y, size_t x, size_t j) {
  const size_t channels = args->c / args->groups, first = j / (args->n / args->groups) * channels;
  const size_t taps = args->kernel * args->kernel;
  const uint8_t* weight = (const uint8_t*)args->weights + j * EB_BIT_ROW_BYTES(taps * channels);
  int32_t acc = 0;
  for (size_t t = 0; t < taps; t++) {
    /* Unsigned: a tap before the first row or column wraps round to a number that is too large. */
    const size_t row = y + args->dilation * (t / args->kernel) - args->dilation * (args->kernel / 2);
    const size_t col = x + args->dilation * (t % args->kernel) - args->dilation * (args->kernel / 2);
    if (row >= args->h || col >= args->w) continue;
    const uint8_t* pixel = args->a + (row * args->w + col) * EB_BIT_ROW_BYTES(args->c);
    for (size_t p = 0; p < channels; p++) {
      acc += eb_bit(pixel, first + p) == eb_bit(weight, t * channels + p) ? 1 : -1;
    }
  }
  return acc;
}

void eb_b1_conv__scalar(const eb_b1_conv_args* args) {
  const size_t n = args->n, width = args->epilogue.pool > 1 ? args->epilogue.pool : 1;
  float v[8];
  for (size_t y = args->row_begin; y < args->row_end; y++) {
    for (size_t x = 0; x < args->w; x++) {
      const size_t i = y * args->w + x;
      for (size_t first = 0; first < n; first += width) {
        for (size_t j = 0; j < width; j++) {
          const float acc = (float)convolve(args, y, x, first + j);
          v[j] = eb_epilogue_value(&args->epilogue, n, i, first + j, acc);
        }
        eb_epilogue_store(&args->epilogue, n, i, first, width, v);
      }
    }
  }
}
