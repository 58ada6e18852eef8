#include "lce_patches.h"

#include <string.h>

#include "edgebin.h"
#include "lce_bits.h"

typedef struct {
  const lce_conv_shape* shape;
  const uint32_t* image;
  size_t group, parts;
  uint8_t *rows, *upper;
} gathering;

static void gather_patch(const gathering* call, const uint32_t* image, int64_t y, int64_t x, uint8_t* row,
                         uint8_t* upper) {
  const lce_conv_shape* shape = call->shape;
  const lce_axis *vertical = &shape->vertical, *horizontal = &shape->horizontal;
  const size_t channels = lce_group_channels(shape), pixel_words = shape->words * shape->groups;
  size_t at = 0;
  for (int64_t dy = 0; dy < vertical->taps; dy++) {
    const int64_t i = lce_tap(vertical, y, dy);
    for (int64_t dx = 0; dx < horizontal->taps; dx++, at += channels) {
      const int64_t j = lce_tap(horizontal, x, dx);
      if (lce_is_inside(vertical, i) && lce_is_inside(horizontal, j)) {
        const uint32_t* pixel = image + (size_t)(i * horizontal->size + j) * pixel_words;
        const uint32_t* words = pixel + call->group * shape->words;
        tfl_append_bits(row, at, words, channels);
        if (upper) tfl_append_bits(upper, at, words, channels);
      } else if (upper) {
        tfl_append_ones(upper, at, channels);
      }
    }
  }
}

/* Output rows are dealt out in parts. */
static void gather_part(void* opaque, size_t part) {
  const gathering* call = opaque;
  const lce_conv_shape* shape = call->shape;
  const size_t height = (size_t)shape->vertical.out, width = (size_t)shape->horizontal.out;
  const size_t lines = shape->batch * height, bytes = EB_BIT_ROW_BYTES(shape->k);
  const size_t image_words = (size_t)(shape->vertical.size * shape->horizontal.size) * shape->words * shape->groups;
  for (size_t line = part * lines / call->parts; line < (part + 1) * lines / call->parts; line++) {
    const size_t from = line * width * bytes;
    memset(call->rows + from, 0, width * bytes);
    if (call->upper) memset(call->upper + from, 0, width * bytes);
    for (size_t x = 0; x < width; x++) {
      gather_patch(call, call->image + line / height * image_words, (int64_t)(line % height), (int64_t)x,
                   call->rows + from + x * bytes, call->upper ? call->upper + from + x * bytes : NULL);
    }
  }
}

void lce_gather_patches(const lce_conv_shape* shape, const uint32_t* image, size_t group, uint8_t* rows, uint8_t* upper,
                        eb_pool* pool) {
  gathering call = {shape, image, group, eb_pool_threads(pool), rows, upper};
  eb_pool_parallel_for(pool, call.parts, gather_part, &call);
}

void lce_gather_filter(const lce_conv_shape* shape, const uint32_t* filter, uint8_t* rows) {
  const size_t taps = (size_t)(shape->vertical.taps * shape->horizontal.taps), channels = lce_group_channels(shape);
  const size_t bytes = EB_BIT_ROW_BYTES(shape->k);
  memset(rows, 0, shape->n * bytes);
  for (size_t j = 0; j < shape->n; j++) {
    for (size_t tap = 0; tap < taps; tap++, filter += shape->words) {
      tfl_append_bits(rows + j * bytes, tap * channels, filter, channels);
    }
  }
}
