#include "lce_shape.h"

#include "lce_bits.h"

enum { LARGEST_K = (1 << 22) - 1 }; /* beyond it the kernels' sums are not exact */

size_t lce_output_pixels(const lce_conv_shape* shape) {
  return shape->batch * (size_t)(shape->vertical.out * shape->horizontal.out);
}

size_t lce_group_channels(const lce_conv_shape* shape) { return (size_t)shape->channels / shape->groups; }

static int reaches_out(const lce_axis* axis) {
  return lce_tap(axis, 0, 0) < 0 || lce_tap(axis, axis->out - 1, axis->taps - 1) >= axis->size;
}

int lce_needs_padding(const lce_conv_shape* shape) {
  return reaches_out(&shape->vertical) || reaches_out(&shape->horizontal);
}

int lce_read_conv_options(lce_conv_shape* shape, tfl_call* call) {
  const tfl_int_option options[] = {
      {"channels_in", &shape->channels},
      {"padding", &shape->padding},
      {"pad_values", &shape->pad_values},
      {"fused_activation_function", &shape->activation},
      {"stride_height", &shape->vertical.stride},
      {"stride_width", &shape->horizontal.stride},
      {"dilation_height_factor", &shape->vertical.dilation},
      {"dilation_width_factor", &shape->horizontal.dilation},
  };
  if (!tfl_read_ints(call, options, sizeof options / sizeof *options)) return 0;
  if (shape->pad_values != 0 && shape->pad_values != 1) return tfl_fail(call, "`pad_values` is neither 0 nor 1");
  if (shape->activation < LCE_NO_ACTIVATION || shape->activation > LCE_RELU6) {
    return tfl_fail(call, "no such fused activation: %lld", (long long)shape->activation);
  }
  return 1;
}

/* A vector of the output channels that is known now. */
static int check_vector(tfl_call* call, size_t index, int type, size_t n) {
  const TfLiteTensor* vector = tfl_input(call, index);
  if (!vector || vector->type != type || vector->dims->size != 1 || (size_t)vector->dims->data[0] != n ||
      !tfl_is_constant(vector)) {
    return tfl_fail(call, "its input %zu is not a constant %s vector of %zu", index,
                    type == TFLITE_INT32 ? "int32" : "float32", n);
  }
  return 1;
}

static int read_groups(lce_conv_shape* shape, tfl_call* call, size_t pixel_words) {
  if (shape->channels < 1 || LCE_WORDS(shape->channels) != pixel_words) {
    return tfl_fail(call, "%lld channels do not make %zu words", (long long)shape->channels, pixel_words);
  }
  if (shape->words < 1 || pixel_words % shape->words) {
    return tfl_fail(call, "a filter of %zu words does not divide %zu", shape->words, pixel_words);
  }
  shape->groups = pixel_words / shape->words;
  if (shape->groups > 1 && ((size_t)shape->channels % (32 * shape->groups) || shape->n % shape->groups)) {
    return tfl_fail(call, "%lld channels to %zu are no %zu groups of whole words", (long long)shape->channels, shape->n,
                    shape->groups);
  }
  return 1;
}

/* LCE's default kernel refuses the same. */
static int check_zero_padding(const lce_conv_shape* shape, tfl_call* call) {
  const int plain = shape->output_type == TFLITE_FLOAT32 && shape->activation == LCE_NO_ACTIVATION;
  if (shape->pad_values || plain || !lce_needs_padding(shape)) return 1;
  return tfl_fail(call, "zero padding needs a float32 output and no activation: use one padding, or another op");
}

int lce_read_conv_shape(lce_conv_shape* shape, tfl_call* call) {
  if (!tfl_check_arity(call, 5, 1)) return 0;
  const TfLiteTensor *x = tfl_input(call, 0), *filter = tfl_input(call, 1), *y = tfl_output(call, 0);
  if (!x || x->type != TFLITE_INT32 || x->dims->size != 4) return tfl_fail(call, "its input is not int32 of 4 axes");
  if (!filter || filter->type != TFLITE_INT32 || filter->dims->size != 4) {
    return tfl_fail(call, "its filter is not int32 of 4 axes");
  }
  if (y->type != TFLITE_FLOAT32 && y->type != TFLITE_INT8 && y->type != TFLITE_INT32) {
    return tfl_fail(call, "its output is neither float32, int8 nor int32");
  }
  shape->output_type = y->type;
  shape->batch = (size_t)x->dims->data[0];
  shape->vertical.size = x->dims->data[1];
  shape->horizontal.size = x->dims->data[2];
  shape->n = (size_t)filter->dims->data[0];
  shape->vertical.taps = filter->dims->data[1];
  shape->horizontal.taps = filter->dims->data[2];
  shape->words = (size_t)filter->dims->data[3];
  if (!lce_place_windows(&shape->vertical, shape->padding) || !lce_place_windows(&shape->horizontal, shape->padding)) {
    return tfl_fail(call, "there is no such window in its input");
  }
  if (shape->n < 1) return tfl_fail(call, "its filter is empty");
  if (!read_groups(shape, call, (size_t)x->dims->data[3])) return 0;
  if (__builtin_mul_overflow((size_t)(shape->vertical.taps * shape->horizontal.taps), lce_group_channels(shape),
                             &shape->k) ||
      shape->k > LARGEST_K) {
    return tfl_fail(call, "sums of more than %d products", LARGEST_K);
  }
  if (!check_zero_padding(shape, call)) return 0;
  if (y->type == TFLITE_INT32) return check_vector(call, 4, TFLITE_INT32, shape->n);
  if (y->type == TFLITE_INT8 && !(y->params.scale > 0)) return tfl_fail(call, "its int8 output has no scale");
  return check_vector(call, 2, TFLITE_FLOAT32, shape->n) && check_vector(call, 3, TFLITE_FLOAT32, shape->n);
}
