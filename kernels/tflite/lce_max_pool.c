/* LceBMaxPool2d: the largest sign of each window. Bit 1 is -1, so that is the AND of its bits; padding is left out. */
#include <stdlib.h>

#include "flexbuffer.h"
#include "lce_window.h"
#include "op.h"

typedef struct {
  int64_t padding;
  lce_axis vertical, horizontal;
} max_pool;

static void* create(tfl_call* call) {
  max_pool* self = calloc(1, sizeof *self);
  if (!self) {
    tfl_fail(call, "out of memory");
    return NULL;
  }
  self->vertical.dilation = self->horizontal.dilation = 1;
  const tfl_int_option options[] = {
      {"padding", &self->padding},
      {"stride_height", &self->vertical.stride},
      {"stride_width", &self->horizontal.stride},
      {"filter_height", &self->vertical.taps},
      {"filter_width", &self->horizontal.taps},
  };
  if (tfl_read_ints(call, options, sizeof options / sizeof *options)) return self;
  free(self);
  return NULL;
}

static int prepare(void* opaque, tfl_call* call) {
  max_pool* self = opaque;
  if (!tfl_check_arity(call, 1, 1)) return 0;
  const TfLiteTensor *x = tfl_input(call, 0), *y = tfl_output(call, 0);
  if (!x || x->type != TFLITE_INT32 || y->type != TFLITE_INT32) return tfl_fail(call, "its tensors are not int32");
  if (x->dims->size != 4) return tfl_fail(call, "its input has %d axes, not 4", x->dims->size);
  self->vertical.size = x->dims->data[1];
  self->horizontal.size = x->dims->data[2];
  if (!lce_place_windows(&self->vertical, self->padding) || !lce_place_windows(&self->horizontal, self->padding)) {
    return tfl_fail(call, "there is no such window in its input");
  }
  const int64_t dims[] = {x->dims->data[0], self->vertical.out, self->horizontal.out, x->dims->data[3]};
  return tfl_resize_output(call, 0, 4, dims);
}

/* One pixel of the result, `words` words. */
static void pool_pixel(const max_pool* self, const uint32_t* image, size_t words, int64_t y, int64_t x, uint32_t* out) {
  for (size_t w = 0; w < words; w++) out[w] = UINT32_MAX;
  for (int64_t dy = 0; dy < self->vertical.taps; dy++) {
    const int64_t row = lce_tap(&self->vertical, y, dy);
    if (!lce_is_inside(&self->vertical, row)) continue;
    for (int64_t dx = 0; dx < self->horizontal.taps; dx++) {
      const int64_t column = lce_tap(&self->horizontal, x, dx);
      if (!lce_is_inside(&self->horizontal, column)) continue;
      const uint32_t* pixel = image + (size_t)(row * self->horizontal.size + column) * words;
      for (size_t w = 0; w < words; w++) out[w] &= pixel[w];
    }
  }
}

static int run(void* opaque, tfl_call* call) {
  const max_pool* self = opaque;
  const TfLiteTensor* x = tfl_input(call, 0);
  const size_t words = tfl_last_of(x), image = (size_t)(self->vertical.size * self->horizontal.size) * words;
  uint32_t* out = tfl_output(call, 0)->data;
  for (int b = 0; b < x->dims->data[0]; b++) {
    const uint32_t* pixels = (const uint32_t*)x->data + (size_t)b * image;
    for (int64_t i = 0; i < self->vertical.out; i++) {
      for (int64_t j = 0; j < self->horizontal.out; j++, out += words) pool_pixel(self, pixels, words, i, j, out);
    }
  }
  return 1;
}

static void destroy(void* self) { free(self); }

const tfl_op tfl_lce_max_pool = {create, prepare, run, destroy};
