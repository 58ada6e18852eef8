/* Our own ops: nodes of kernels/dispatch, whose attributes are the options of the custom op.
 *
 * Bits between ops are int32 in TFLite, four bytes an element; dispatch says uint8. How rows are grouped is in the file
 * (its outputs' shapes), so the attribute `shapes` is not read; where inputs were resized, the first axis follows. */
#include <stdlib.h>
#include <string.h>

#include "flexbuffer.h"
#include "op.h"

typedef struct {
  eb_attributes attributes;
  eb_node* node;
  eb_tensor made_for[EB_MAX_INPUTS]; /* the shapes that `node` was made with */
  int knows_declared;
  eb_tensor declared[EB_MAX_OUTPUTS]; /* outputs as the file has them */
} edgebin_op;

static int read_attributes(tfl_call* call, eb_attributes* attributes) {
  const struct {
    const char* key;
    int64_t* value;
  } numbers[] = {
      {"k", &attributes->k},           {"pool", &attributes->pool},
      {"kernel", &attributes->kernel}, {"dilation", &attributes->dilation},
      {"groups", &attributes->groups}, {"channels", &attributes->channels},
      {"heads", &attributes->heads},   {"head_dim", &attributes->head_dim},
      {"drop", &attributes->drop},     {"circular", &attributes->circular},
  };
  const struct {
    const char* key;
    const char** value;
  } texts[] = {
      {"operands", &attributes->operands},
      {"results", &attributes->results},
      {"variant", &attributes->variant},
  };
  eb_flex_map map;
  if (call->option_bytes == 0) return 1;
  if (eb_flex_open(&map, call->options, call->option_bytes) != EB_FLEX_OK) {
    return tfl_fail(call, "its options are no flexbuffer map");
  }
  const char* wrong = NULL;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (eb_flex_int(&map, numbers[i].key, numbers[i].value) == EB_FLEX_MALFORMED) wrong = numbers[i].key;
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (eb_flex_text(&map, texts[i].key, texts[i].value) == EB_FLEX_MALFORMED) wrong = texts[i].key;
  }
  if (eb_flex_float(&map, "epsilon", &attributes->epsilon) == EB_FLEX_MALFORMED) wrong = "epsilon";
  return wrong ? tfl_fail(call, "its option `%s` is malformed or of another type", wrong) : 1;
}

static void* create(tfl_call* call) {
  edgebin_op* self = calloc(1, sizeof *self);
  if (!self) {
    tfl_fail(call, "out of memory");
    return NULL;
  }
  self->attributes.op = call->code + strlen("Edgebin");
  if (read_attributes(call, &self->attributes)) return self;
  free(self);
  return NULL;
}

static void destroy(void* opaque) {
  edgebin_op* self = opaque;
  eb_node_destroy(self->node);
  free(self);
}

static int describe_inputs(tfl_call* call, int with_data, eb_tensor* inputs) {
  if (call->input_count > EB_MAX_INPUTS) return tfl_fail(call, "it has %zu inputs", call->input_count);
  for (size_t i = 0; i < call->input_count; i++) {
    const TfLiteTensor* tensor = tfl_input(call, i);
    if (!tensor) return tfl_fail(call, "its input %zu is left out", i);
    if (!tfl_describe(tensor, with_data, &inputs[i])) return tfl_fail(call, "its input %zu is of a strange type", i);
  }
  return 1;
}

static int read_declared(edgebin_op* self, tfl_call* call) {
  if (call->output_count > EB_MAX_OUTPUTS) return tfl_fail(call, "it has %zu outputs", call->output_count);
  for (size_t i = 0; i < call->output_count; i++) {
    const TfLiteTensor* output = tfl_output(call, i);
    if (!output || !tfl_describe(output, 0, &self->declared[i])) {
      return tfl_fail(call, "its output %zu is of a strange type", i);
    }
  }
  self->knows_declared = 1;
  return 1;
}

/* The shape of a result: rows and columns as computed, grouped as declared. */
static int shape_result(tfl_call* call, size_t index, const eb_tensor* declared, eb_tensor* result) {
  int64_t* last = &result->dims[result->rank - 1];
  if (result->type == EB_U8 && declared->type == EB_I32) {
    *last /= 4;
    result->type = EB_I32;
  }
  if (result->type != declared->type) return tfl_fail(call, "its output %zu is of another type", index);
  if (declared->rank == 0) return 1;
  int64_t rows = 1, inner = 1;
  for (size_t i = 0; i + 1 < result->rank; i++) rows *= result->dims[i];
  for (size_t i = 1; i + 1 < declared->rank; i++) inner *= declared->dims[i];
  if (declared->dims[declared->rank - 1] != *last || inner < 1 || rows % inner || (declared->rank == 1 && rows != 1)) {
    return tfl_fail(call, "its output %zu does not hold %lld rows of %lld", index, (long long)rows, (long long)*last);
  }
  const eb_type type = result->type;
  *result = *declared;
  result->type = type;
  if (declared->rank > 1) result->dims[0] = rows / inner;
  return 1;
}

static int prepare(void* opaque, tfl_call* call) {
  edgebin_op* self = opaque;
  eb_tensor inputs[EB_MAX_INPUTS] = {0}, results[EB_MAX_OUTPUTS] = {0};
  if (!self->knows_declared && !read_declared(self, call)) return 0;
  if (!describe_inputs(call, 0, inputs)) return 0;
  if (!self->node || memcmp(inputs, self->made_for, sizeof inputs) != 0) {
    eb_node_destroy(self->node);
    self->node =
        eb_node_create(&self->attributes, NULL, inputs, call->input_count, eb_pool_threads(call->pool), call->message);
    if (!self->node) return 0;
    memcpy(self->made_for, inputs, sizeof inputs);
  }
  if (eb_node_output_count(self->node) != call->output_count) {
    return tfl_fail(call, "it has %zu outputs, not %zu", call->output_count, eb_node_output_count(self->node));
  }
  if (eb_node_output_shapes(self->node, inputs, call->input_count, results, call->message) != 0) return 0;
  for (size_t i = 0; i < call->output_count; i++) {
    if (!shape_result(call, i, &self->declared[i], &results[i]) ||
        !tfl_resize_output(call, i, results[i].rank, results[i].dims))
      return 0;
  }
  return 1;
}

static int run(void* opaque, tfl_call* call) {
  const edgebin_op* self = opaque;
  eb_tensor inputs[EB_MAX_INPUTS], outputs[EB_MAX_OUTPUTS];
  if (!describe_inputs(call, 1, inputs)) return 0;
  for (size_t i = 0; i < call->output_count; i++) {
    const TfLiteTensor* output = tfl_output(call, i);
    if (!output || !output->data || !tfl_describe(output, 1, &outputs[i])) {
      return tfl_fail(call, "its output %zu has no memory: nothing reads it", i);
    }
  }
  return eb_node_run(self->node, inputs, call->input_count, outputs, eb_pool_parallel_for, call->pool, call->message) ==
         0;
}

const tfl_op tfl_edgebin_op = {create, prepare, run, destroy};
