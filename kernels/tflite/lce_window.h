/* Windows that slide over an image, with TFLite's two ways of padding. */
#ifndef EDGEBIN_TFLITE_LCE_WINDOW_H
#define EDGEBIN_TFLITE_LCE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum { LCE_SAME = 0, LCE_VALID = 1 };

/* One axis: `out` windows of `taps` taps each. */
typedef struct {
  int64_t size, taps, stride, dilation;
  int64_t out, pad_before;
} lce_axis;

/* Fills out and pad_before; 0 if an option makes no sense or there is no window. */
static inline int lce_place_windows(lce_axis* axis, int64_t padding) {
  if (axis->taps < 1 || axis->stride < 1 || axis->dilation < 1) return 0;
  if (axis->size < 1 || axis->taps > INT32_MAX || axis->stride > INT32_MAX || axis->dilation > INT32_MAX) return 0;
  const int64_t reach = (axis->taps - 1) * axis->dilation + 1;
  if (padding == LCE_SAME) {
    axis->out = (axis->size + axis->stride - 1) / axis->stride;
    const int64_t missing = (axis->out - 1) * axis->stride + reach - axis->size;
    axis->pad_before = missing > 0 ? missing / 2 : 0;
    return 1;
  }
  axis->out = axis->size < reach ? 0 : (axis->size - reach) / axis->stride + 1;
  axis->pad_before = 0;
  return padding == LCE_VALID && axis->out > 0;
}

/* Where tap `tap` of window `window` lies; outside of 0 .. size - 1 it is padding. */
static inline int64_t lce_tap(const lce_axis* axis, int64_t window, int64_t tap) {
  return window * axis->stride - axis->pad_before + tap * axis->dilation;
}

static inline int lce_is_inside(const lce_axis* axis, int64_t at) { return at >= 0 && at < axis->size; }

#endif
