/* LceBconv2d on our kernels. Its options and sizes are in lce_shape.c.
 *
 * ROWS     1x1, stride 1: pixels are rows of b1_gemm, as they are or in rows of whole 64-bit words
 * IMAGE    odd square filters, stride 1, taps outside of the image 0: b1_conv
 * PATCHES  everything else: the bits of each window in a row, one group after the other through b1_gemm; taps outside
 *          of the image are +1, or 0 by a second plane of bits
 *
 * The fused activation stands before scale and bias, so RELU is the epilogue's slope of 0; the other two and int8 take
 * the sums out of the kernel and finish them in lce_results.c. Bits are compared in the kernel: popcount > threshold is
 * sum < k - 2 * threshold. */
#include <stdlib.h>
#include <string.h>

#include "edgebin.h"
#include "flexbuffer.h"
#include "lce_bits.h"
#include "lce_patches.h"
#include "lce_results.h"
#include "op.h"

typedef enum { ROWS, IMAGE, PATCHES } way;
typedef enum { SCALED, RELU_SCALED, SUMS, BITS } ending;

typedef struct {
  lce_conv_shape shape;
  const char* variant; /* in the options, where edgebin wrote the file: the path or tuning of its kernel */
  way way;
  ending ending;
  size_t node_count; /* each computes n / node_count channels */
  eb_node** nodes;   /* none while the filter is not constant */
  uint8_t* weight;   /* [n, EB_BIT_ROW_BYTES(k)] */
  float* vectors;    /* thresholds, or zeros, or folded multipliers and biases; [2, n] */
  uint8_t *rows, *upper;
  void* results;
} conv;

static void drop_nodes(conv* self) {
  for (size_t i = 0; self->nodes && i < self->node_count; i++) eb_node_destroy(self->nodes[i]);
  free(self->nodes);
  self->nodes = NULL;
}

static void drop_buffers(conv* self) {
  drop_nodes(self);
  free(self->weight);
  free(self->vectors);
  free(self->rows);
  free(self->upper);
  free(self->results);
  self->weight = self->rows = self->upper = NULL;
  self->vectors = NULL;
  self->results = NULL;
}

static void destroy(void* self) {
  drop_buffers(self);
  free(self);
}

static int read_variant(conv* self, tfl_call* call) {
  eb_flex_map map;
  eb_flex_open(&map, call->options, call->option_bytes); /* which was read before */
  if (eb_flex_text(&map, "variant", &self->variant) != EB_FLEX_MALFORMED) return 1;
  return tfl_fail(call, "its option `variant` is malformed or of another type");
}

static void* create(tfl_call* call) {
  conv* self = calloc(1, sizeof *self);
  if (!self) {
    tfl_fail(call, "out of memory");
    return NULL;
  }
  const int good = lce_read_conv_options(&self->shape, call) && read_variant(self, call);
  if (good) return self;
  free(self);
  return NULL;
}

static void choose_way(conv* self) {
  const lce_conv_shape* shape = &self->shape;
  const lce_axis *v = &shape->vertical, *h = &shape->horizontal;
  const int every_pixel = v->stride == 1 && h->stride == 1 && v->out == v->size && h->out == h->size;
  const int odd_square = v->taps == h->taps && v->taps % 2 == 1 && (v->taps == 1 || v->dilation == h->dilation);
  if (every_pixel && odd_square && v->taps == 1 && shape->groups == 1) {
    self->way = ROWS;
  } else if (every_pixel && odd_square && (v->taps == 1 || shape->pad_values == 0)) {
    self->way = IMAGE;
  } else {
    self->way = PATCHES;
  }
  self->node_count = self->way == IMAGE ? 1 : shape->groups;
  if (shape->output_type == TFLITE_INT32) {
    self->ending = BITS;
  } else if (shape->output_type == TFLITE_FLOAT32 && shape->activation <= LCE_RELU) {
    self->ending = shape->activation == LCE_RELU ? RELU_SCALED : SCALED;
  } else {
    self->ending = SUMS;
  }
}

static int fill_vectors(conv* self, tfl_call* call) {
  const lce_conv_shape* shape = &self->shape;
  self->vectors = calloc(2 * shape->n, sizeof *self->vectors);
  if (!self->vectors) return tfl_fail(call, "out of memory");
  if (self->ending == BITS) {
    const int32_t* thresholds = tfl_input(call, 4)->data;
    const int64_t most = 2 * (int64_t)shape->k; /* no sum is beyond: "always" and "never" stay exact */
    for (size_t j = 0; j < shape->n; j++) {
      const int64_t limit = (int64_t)shape->k - 2 * (int64_t)thresholds[j];
      self->vectors[j] = (float)(limit > most ? most : limit < -most ? -most : limit);
    }
  } else if (shape->output_type == TFLITE_INT8) {
    lce_fold_quantization(shape, tfl_input(call, 2)->data, tfl_input(call, 3)->data, tfl_output(call, 0)->params,
                          self->vectors, self->vectors + shape->n);
  }
  return 1;
}

static eb_tensor rows_of_bits(size_t rows, size_t bits, const void* data) {
  return (eb_tensor){EB_U8, 2, {(int64_t)rows, (int64_t)EB_BIT_ROW_BYTES(bits)}, (void*)data};
}

/* The inputs of a node: bits, its rows of the filter, and what its ending wants. */
static size_t node_inputs(const conv* self, const tfl_call* call, size_t node, const void* bits, eb_tensor* inputs) {
  const lce_conv_shape* shape = &self->shape;
  const size_t columns = shape->n / self->node_count, first = node * columns;
  size_t count = 0;
  if (self->way == IMAGE) {
    inputs[count++] = (eb_tensor){EB_U8,
                                  4,
                                  {(int64_t)shape->batch, shape->vertical.size, shape->horizontal.size,
                                   (int64_t)EB_BIT_ROW_BYTES(shape->channels)},
                                  (void*)bits};
  } else {
    inputs[count++] = rows_of_bits(lce_output_pixels(shape), shape->k, bits);
    if (self->upper) inputs[count++] = rows_of_bits(lce_output_pixels(shape), shape->k, self->upper);
  }
  inputs[count++] = rows_of_bits(columns, shape->k, self->weight + first * EB_BIT_ROW_BYTES(shape->k));
  const eb_tensor vector = {EB_F32, 1, {(int64_t)columns}, self->vectors};
  if (self->ending == BITS) inputs[count++] = vector;
  if (self->ending == RELU_SCALED) inputs[count++] = vector;
  if (self->ending == BITS || self->ending == SUMS) {
    if (self->ending == BITS) inputs[count - 1].data = self->vectors + first;
    return count;
  }
  for (size_t i = 2; i <= 3; i++) {
    inputs[count] = vector;
    inputs[count++].data = (float*)tfl_input(call, i)->data + first;
  }
  return count;
}

static int make_nodes(conv* self, tfl_call* call) {
  static const char* const operands[] = {
      [SCALED] = "scale bias", [RELU_SCALED] = "slope gain shift", [SUMS] = "", [BITS] = "threshold0"};
  const lce_conv_shape* shape = &self->shape;
  const eb_attributes attributes = {
      .op = self->way == IMAGE ? "FusedBinaryConv"
            : self->upper      ? "FusedTernaryLinear"
                               : "FusedBinaryLinear",
      .operands = operands[self->ending],
      .results = self->ending == BITS ? "bits0" : "out",
      .variant = self->variant,
      .k = (int64_t)shape->k,
      .kernel = shape->vertical.taps,
      .dilation = shape->vertical.dilation,
      .groups = (int64_t)shape->groups,
      .channels = shape->channels,
  };
  lce_gather_filter(shape, tfl_input(call, 1)->data, self->weight);
  self->nodes = calloc(self->node_count, sizeof *self->nodes);
  if (!self->nodes) return tfl_fail(call, "out of memory");
  for (size_t i = 0; i < self->node_count; i++) {
    eb_tensor inputs[8];
    const size_t count = node_inputs(self, call, i, NULL, inputs);
    self->nodes[i] = eb_node_create(&attributes, NULL, inputs, count, eb_pool_threads(call->pool), call->message);
    if (self->nodes[i]) continue;
    drop_nodes(self);
    return 0;
  }
  return 1;
}

/* Whether the kernel's results are the output as it stands. */
static int is_direct(const conv* self) {
  if (self->node_count > 1) return 0;
  return self->ending == BITS ? tfl_same_rows(self->shape.n) : self->shape.output_type == TFLITE_FLOAT32;
}

/* Room for rows, or NULL. */
static void* rows_of(size_t rows, size_t row_bytes) {
  size_t bytes;
  return __builtin_mul_overflow(rows, row_bytes, &bytes) ? NULL : malloc(bytes ? bytes : 1);
}

static int allocate(conv* self, tfl_call* call) {
  const lce_conv_shape* shape = &self->shape;
  const size_t pixels = lce_output_pixels(shape), columns = shape->n / self->node_count;
  const size_t row_bytes = EB_BIT_ROW_BYTES(self->way == PATCHES ? shape->k : (size_t)shape->channels);
  const size_t result_bytes = self->ending == BITS ? EB_BIT_ROW_BYTES(columns) : columns * sizeof(float);
  const int gathers = self->way == PATCHES, widens = !gathers && !tfl_same_rows((size_t)shape->channels);
  int good = (self->weight = rows_of(shape->n, EB_BIT_ROW_BYTES(shape->k))) != NULL;
  if (gathers || widens) good = (self->rows = rows_of(pixels, row_bytes)) && good;
  if (gathers && shape->pad_values == 0 && lce_needs_padding(shape)) {
    good = (self->upper = rows_of(pixels, row_bytes)) && good;
  }
  if (!is_direct(self)) good = (self->results = rows_of(pixels, result_bytes)) && good;
  return good ? 1 : tfl_fail(call, "out of memory");
}

static int prepare(void* opaque, tfl_call* call) {
  conv* self = opaque;
  lce_conv_shape shape = self->shape;
  if (!lce_read_conv_shape(&shape, call)) return 0;
  if (!self->weight || memcmp(&shape, &self->shape, sizeof shape) != 0) {
    drop_buffers(self);
    self->shape = shape;
    choose_way(self);
    if (!allocate(self, call) || !fill_vectors(self, call)) return 0;
    if (tfl_is_constant(tfl_input(call, 1)) && !make_nodes(self, call)) return 0;
  }
  const int64_t channels = (int64_t)(self->ending == BITS ? LCE_WORDS(shape.n) : shape.n);
  const int64_t dims[] = {(int64_t)shape.batch, shape.vertical.out, shape.horizontal.out, channels};
  return tfl_resize_output(call, 0, 4, dims);
}

static void place(const conv* self, const tfl_call* call, size_t node, const void* from) {
  const lce_conv_shape* shape = &self->shape;
  const size_t columns = shape->n / self->node_count;
  void* to = tfl_output(call, 0)->data;
  lce_results results = {.shape = shape, .first = node * columns, .columns = columns};
  if (self->ending == BITS) {
    lce_place_bits(&results, from, to);
  } else if (self->ending != SUMS) {
    lce_place_floats(&results, from, to);
  } else if (shape->output_type == TFLITE_INT8) {
    results.multiplier = self->vectors;
    results.bias = self->vectors + shape->n;
    lce_place_int8(&results, from, to);
  } else {
    results.multiplier = tfl_input(call, 2)->data;
    results.bias = tfl_input(call, 3)->data;
    lce_place_clamped(&results, from, to);
  }
}

static int run_node(const conv* self, tfl_call* call, size_t node) {
  const lce_conv_shape* shape = &self->shape;
  const uint32_t* image = tfl_input(call, 0)->data;
  const size_t pixels = lce_output_pixels(shape), columns = shape->n / self->node_count;
  if (self->way == PATCHES) {
    lce_gather_patches(shape, image, node, self->rows, self->upper, call->pool);
  } else if (self->rows) {
    tfl_to_kernel_rows(image, self->rows, pixels, (size_t)shape->channels);
  }
  eb_tensor inputs[8];
  const size_t count = node_inputs(self, call, node, self->rows ? (const void*)self->rows : image, inputs);
  void* to = self->results ? self->results : tfl_output(call, 0)->data;
  eb_tensor result = rows_of_bits(pixels, columns, to);
  if (self->ending != BITS) result = (eb_tensor){EB_F32, 2, {(int64_t)pixels, (int64_t)columns}, to};
  if (eb_node_run(self->nodes[node], inputs, count, &result, eb_pool_parallel_for, call->pool, call->message) != 0) {
    return 0;
  }
  if (self->results || self->ending == SUMS) place(self, call, node, to);
  return 1;
}

static int run(void* opaque, tfl_call* call) {
  conv* self = opaque;
  const int repacks = !self->nodes;
  if (lce_output_pixels(&self->shape) == 0) return 1;
  if (repacks && !make_nodes(self, call)) return 0;
  int good = 1;
  for (size_t i = 0; good && i < self->node_count; i++) good = run_node(self, call, i);
  if (repacks) drop_nodes(self);
  return good;
}

const tfl_op tfl_lce_conv = {create, prepare, run, destroy};
