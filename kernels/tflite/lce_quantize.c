/* LceQuantize: the signs of float32, int8 (below its zero point) or bool (false) as bits.
 *
 * Floats go to the kernel `rows` with thresholds of 0; the two others, which our models never have, go one by one. */
#include <stdlib.h>
#include <string.h>

#include "edgebin.h"
#include "lce_bits.h"
#include "op.h"

typedef struct {
  size_t channels;   /* what follows is for: */
  float* thresholds; /* 0 */
  eb_node* node;
  uint8_t* rows; /* where our rows are wider than LCE's: room for all of them */
} quantize;

static void* create(tfl_call* call) {
  quantize* self = calloc(1, sizeof *self);
  if (!self) tfl_fail(call, "out of memory");
  return self;
}

static void forget(quantize* self) {
  eb_node_destroy(self->node);
  free(self->thresholds);
  free(self->rows);
  *self = (quantize){0};
}

static void destroy(void* self) {
  forget(self);
  free(self);
}

static void operands(const quantize* self, const TfLiteTensor* x, eb_tensor inputs[2]) {
  inputs[0] = (eb_tensor){EB_F32, 2, {(int64_t)tfl_rows_of(x), (int64_t)self->channels}, x->data};
  inputs[1] = (eb_tensor){EB_F32, 1, {(int64_t)self->channels}, self->thresholds};
}

static int prepare_floats(quantize* self, tfl_call* call, const TfLiteTensor* x) {
  const size_t channels = tfl_last_of(x);
  if (!self->node || self->channels != channels) {
    forget(self);
    self->channels = channels;
    self->thresholds = calloc(channels, sizeof *self->thresholds);
    if (!self->thresholds) return tfl_fail(call, "out of memory");
    eb_tensor inputs[2];
    operands(self, x, inputs);
    inputs[0].data = NULL;
    const eb_attributes attributes = {.op = "FusedRows", .operands = "threshold0", .results = "bits0"};
    self->node = eb_node_create(&attributes, NULL, inputs, 2, eb_pool_threads(call->pool), call->message);
    if (!self->node) return 0;
  }
  free(self->rows);
  self->rows = NULL;
  if (tfl_same_rows(channels)) return 1;
  self->rows = malloc(tfl_rows_of(x) * EB_BIT_ROW_BYTES(channels) + 1);
  return self->rows ? 1 : tfl_fail(call, "out of memory");
}

static int prepare(void* opaque, tfl_call* call) {
  if (!tfl_check_arity(call, 1, 1)) return 0;
  const TfLiteTensor *x = tfl_input(call, 0), *y = tfl_output(call, 0);
  if (!x || x->dims->size < 1 || x->dims->size > EB_MAX_RANK) return tfl_fail(call, "its input is missing or a scalar");
  if (x->type != TFLITE_FLOAT32 && x->type != TFLITE_INT8 && x->type != TFLITE_BOOL) {
    return tfl_fail(call, "its input is neither float32, int8 nor bool");
  }
  if (y->type != TFLITE_INT32) return tfl_fail(call, "its output is not int32");
  if (tfl_last_of(x) == 0) return tfl_fail(call, "its input has no channels");
  int64_t dims[EB_MAX_RANK];
  for (int i = 0; i < x->dims->size; i++) dims[i] = x->dims->data[i];
  dims[x->dims->size - 1] = (int64_t)LCE_WORDS(tfl_last_of(x));
  if (x->type == TFLITE_FLOAT32 && !prepare_floats(opaque, call, x)) return 0;
  return tfl_resize_output(call, 0, (size_t)x->dims->size, dims);
}

/* Bit j is values[j] < limit. */
static void pack_row(const int8_t* values, size_t count, int limit, uint32_t* words) {
  for (size_t w = 0; w < LCE_WORDS(count); w++) {
    uint32_t word = 0;
    for (size_t j = 32 * w; j < count && j < 32 * w + 32; j++) word |= (uint32_t)(values[j] < limit) << (j % 32);
    words[w] = word;
  }
}

static int run(void* opaque, tfl_call* call) {
  const quantize* self = opaque;
  const TfLiteTensor *x = tfl_input(call, 0), *y = tfl_output(call, 0);
  const size_t rows = tfl_rows_of(x), channels = tfl_last_of(x);
  if (rows == 0) return 1;
  if (x->type != TFLITE_FLOAT32) {
    /* A bool is a byte of 0 or 1. */
    const int limit = x->type == TFLITE_BOOL ? 1 : x->params.zero_point;
    const int8_t* values = x->data;
    uint32_t* words = y->data;
    for (size_t i = 0; i < rows; i++) pack_row(values + i * channels, channels, limit, words + i * LCE_WORDS(channels));
    return 1;
  }
  eb_tensor inputs[2];
  operands(self, x, inputs);
  eb_tensor bits = {EB_U8, 2, {(int64_t)rows, (int64_t)EB_BIT_ROW_BYTES(channels)}, self->rows ? self->rows : y->data};
  if (eb_node_run(self->node, inputs, 2, &bits, eb_pool_parallel_for, call->pool, call->message) != 0) return 0;
  if (self->rows) tfl_to_lce_rows(self->rows, y->data, rows, channels);
  return 1;
}

const tfl_op tfl_lce_quantize = {create, prepare, run, destroy};
