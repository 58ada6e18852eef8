/* LceDequantize: bits as float32 (+1 and -1), int8 (the two numbers nearest to that) or bool (true and false). The
 * number of channels is that of the output in the file. */
#include <math.h>
#include <stdlib.h>

#include "lce_bits.h"
#include "op.h"

static char nothing;
static void* create(tfl_call* call) {
  (void)call;
  return &nothing;
}
static void destroy(void* self) { (void)self; }

static int prepare(void* self, tfl_call* call) {
  (void)self;
  if (!tfl_check_arity(call, 1, 1)) return 0;
  const TfLiteTensor *x = tfl_input(call, 0), *y = tfl_output(call, 0);
  if (!x || x->type != TFLITE_INT32) return tfl_fail(call, "its input is not int32");
  if (y->type != TFLITE_FLOAT32 && y->type != TFLITE_INT8 && y->type != TFLITE_BOOL) {
    return tfl_fail(call, "its output is neither float32, int8 nor bool");
  }
  if (x->dims->size < 1 || x->dims->size > EB_MAX_RANK || y->dims->size != x->dims->size ||
      LCE_WORDS(tfl_last_of(y)) != tfl_last_of(x)) {
    return tfl_fail(call, "its output has not as many channels as its input has bits");
  }
  if (y->type == TFLITE_INT8 && !(y->params.scale > 0)) return tfl_fail(call, "its int8 output has no scale");
  int64_t dims[EB_MAX_RANK];
  for (int i = 0; i < x->dims->size; i++) dims[i] = x->dims->data[i];
  dims[x->dims->size - 1] = (int64_t)tfl_last_of(y);
  return tfl_resize_output(call, 0, (size_t)x->dims->size, dims);
}

static int run(void* self, tfl_call* call) {
  (void)self;
  const TfLiteTensor *x = tfl_input(call, 0), *y = tfl_output(call, 0);
  const size_t rows = tfl_rows_of(y), channels = tfl_last_of(y), words = LCE_WORDS(channels);
  int plus = 1, minus = 0;
  if (y->type == TFLITE_INT8) {
    const float one = roundf(1.0f / y->params.scale);
    const float top = (float)y->params.zero_point + one, bottom = (float)y->params.zero_point - one;
    plus = top > INT8_MAX ? INT8_MAX : (int)top;
    minus = bottom < INT8_MIN ? INT8_MIN : (int)bottom;
  }
  for (size_t i = 0; i < rows; i++) {
    const uint32_t* row = (const uint32_t*)x->data + i * words;
    for (size_t j = 0; j < channels; j++) {
      const int negative = row[j / 32] >> (j % 32) & 1;
      if (y->type == TFLITE_FLOAT32) {
        ((float*)y->data)[i * channels + j] = negative ? -1.0f : 1.0f;
      } else {
        ((int8_t*)y->data)[i * channels + j] = (int8_t)(negative ? minus : plus);
      }
    }
  }
  return 1;
}

const tfl_op tfl_lce_dequantize = {create, prepare, run, destroy};
