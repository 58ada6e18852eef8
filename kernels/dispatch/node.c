/* A node's life: made from attributes and a constant, measured, run, destroyed. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"
#include "observer.h"
#include "ops.h"

int eb_refuse(char* message, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, EB_MESSAGE_BYTES, format, arguments);
  va_end(arguments);
  return -1;
}

/* The variant that was asked for, or the first: kernels/variants.inc has the best of an architecture first. */
static const eb_variant* pick_variant(const char* kernel, const char* path) {
  const eb_variant* asked = path && *path ? eb_find_variant(kernel, path) : NULL;
  const eb_variant* first = asked ? asked : eb_next_variant(NULL);
  while (first && strcmp(first->op, kernel)) first = eb_next_variant(first);
  return first;
}

/* What attributes and the number of inputs say. */
static int describe(eb_node* node, const eb_attributes* attributes, size_t input_count, char* message) {
  const eb_op* op = node->op = eb_find_op(attributes->op);
  if (!op) return eb_refuse(message, "there is no op `%.60s`", attributes->op ? attributes->op : "");
  node->attributes = *attributes;
  node->attributes.op = node->attributes.operands = node->attributes.results = NULL;
  node->attributes.shapes = node->attributes.variant = NULL;
  if (eb_read_epilogue(node, attributes, input_count, message)) return -1;
  if (input_count == (size_t)op->leading + node->operand_count) return 0;
  return eb_refuse(message, "it has %zu inputs, not %zu", input_count, (size_t)op->leading + node->operand_count);
}

static int fill(eb_node* node, const eb_attributes* attributes, const char* name, const eb_tensor* inputs,
                size_t input_count, char* message) {
  if (describe(node, attributes, input_count, message)) return -1;
  const eb_op* op = node->op;
  const size_t length = name ? strlen(name) : 0;
  node->name = calloc(length + 1, 1);
  if (!node->name) return eb_refuse(message, "out of memory");
  if (length) memcpy(node->name, name, length);
  node->variant = pick_variant(op->kernel, attributes->variant);
  if (!node->variant) return eb_refuse(message, "there is no kernel `%s` in this library", op->kernel);
  if (op->constant >= 0 && !inputs[op->constant].data) {
    return eb_refuse(message, "its input %d is not constant", op->constant);
  }
  return op->create(node, inputs, message);
}

eb_node* eb_node_create(const eb_attributes* attributes, const char* name, const eb_tensor* inputs, size_t input_count,
                        size_t parts, char* message) {
  eb_node* node = calloc(1, sizeof(*node));
  if (!node) {
    eb_refuse(message, "out of memory");
    return NULL;
  }
  node->parts = parts ? parts : 1;
  if (!fill(node, attributes, name, inputs, input_count, message)) return node;
  eb_node_destroy(node);
  return NULL;
}

void eb_node_destroy(eb_node* node) {
  if (!node) return;
  free(node->packed);
  free(node->name);
  free(node);
}

size_t eb_node_output_count(const eb_node* node) { return node->result_count; }

static int measure(eb_call* call, size_t input_count, char* message) {
  const eb_node* node = call->node;
  if (input_count != (size_t)node->op->leading + node->operand_count) {
    return eb_refuse(message, "it is given %zu inputs", input_count);
  }
  return node->op->measure(call, message) || eb_check_epilogue(call, message) ? -1 : 0;
}

static eb_type result_type(const eb_node_result* result) {
  return result->kind == EB_BITS ? EB_U8 : result->kind == EB_CONTEXT ? EB_I32 : EB_F32;
}

/* Elements of a result's row. */
static size_t result_columns(const eb_call* call, const eb_node_result* result) {
  const int64_t pool = call->node->attributes.pool;
  if (result->kind == EB_BITS) return EB_BIT_ROW_BYTES(call->columns);
  return result->kind == EB_OUT && pool > 1 ? call->columns / (size_t)pool : call->columns;
}

int eb_node_output_shapes(const eb_node* node, const eb_tensor* inputs, size_t input_count, eb_tensor* outputs,
                          char* message) {
  eb_call call = {.node = node, .inputs = inputs};
  if (measure(&call, input_count, message)) return -1;
  for (size_t i = 0; i < node->result_count; i++) {
    const eb_node_result* result = &node->results[i];
    const size_t columns = result_columns(&call, result);
    eb_tensor* output = &outputs[i];
    if (result->shape.rank) {
      size_t rows;
      *output = result->shape;
      if (eb_count(output, 1, &rows) || rows != call.rows || eb_last(output) != columns) {
        return eb_refuse(message, "`shapes` does not fit results of %zu rows of %zu", call.rows, columns);
      }
    } else {
      *output = inputs[0];
      output->data = NULL;
      output->dims[output->rank - 1] = (int64_t)columns;
    }
    output->type = result_type(result);
  }
  return 0;
}

/* Negative: not known. */
static int64_t infer_columns(const eb_node* node, const eb_tensor* inputs) {
  const eb_op* op = node->op;
  if (op->constant >= 0) return inputs[op->constant].rank ? inputs[op->constant].dims[0] : -1;
  if (node->results[0].kind == EB_CONTEXT) return node->attributes.heads * node->attributes.head_dim;
  /* A right-hand side and taps have as many as the results. */
  const eb_tensor* like = &inputs[op->leading > 1 ? 1 : 0];
  return like->rank ? like->dims[like->rank - 1] : -1;
}

int eb_infer_outputs(const eb_attributes* attributes, const eb_tensor* inputs, size_t input_count, eb_tensor* outputs,
                     size_t* output_count, char* message) {
  eb_node node = {0};
  if (describe(&node, attributes, input_count, message)) return -1;
  if (node.op->constant < 0 && node.op->create(&node, inputs, message)) return -1;
  const int64_t columns = infer_columns(&node, inputs);
  const eb_call call = {.node = &node, .columns = columns < 0 ? 0 : (size_t)columns};
  *output_count = node.result_count;
  for (size_t i = 0; i < node.result_count; i++) {
    const eb_node_result* result = &node.results[i];
    eb_tensor* output = &outputs[i];
    *output = result->shape.rank ? result->shape : inputs[0];
    if (!output->rank) return eb_refuse(message, "its first input has no known rank");
    if (!result->shape.rank) output->dims[output->rank - 1] = columns < 0 ? -1 : (int64_t)result_columns(&call, result);
    output->type = result_type(result);
    output->data = NULL;
  }
  return 0;
}

/* Whether results fit into what the caller has for them. */
static int check_outputs(const eb_call* call, char* message) {
  for (size_t i = 0; i < call->node->result_count; i++) {
    const eb_node_result* result = &call->node->results[i];
    const eb_tensor* output = &call->outputs[i];
    const eb_type type = result_type(result);
    const int same_type = result->kind == EB_BITS ? eb_is_bits(output) : output->type == type;
    size_t count;
    if (!same_type || eb_count(output, 0, &count) ||
        count * eb_item_bytes(output->type) != call->rows * result_columns(call, result) * eb_item_bytes(type)) {
      return eb_refuse(message, "there is no room for its result %zu", i);
    }
  }
  return 0;
}

int eb_node_run(const eb_node* node, const eb_tensor* inputs, size_t input_count, eb_tensor* outputs,
                eb_parallel_for* parallel_for, void* pool, char* message) {
  eb_call call = {.node = node, .inputs = inputs, .outputs = outputs};
  if (measure(&call, input_count, message) || check_outputs(&call, message)) return -1;
  if (!call.rows) return 0;
  if (*node->name) eb_observe_run(node->name, outputs, node->result_count, 0);
  if (parallel_for && call.parts > 1) {
    parallel_for(pool, call.parts, node->op->run_part, &call);
  } else {
    for (size_t part = 0; part < call.parts; part++) node->op->run_part(&call, part);
  }
  if (*node->name) eb_observe_run(node->name, outputs, node->result_count, 1);
  return atomic_load(&call.out_of_memory) ? eb_refuse(message, "out of memory") : 0;
}

const char* eb_node_kernel(const eb_node* node) { return node->op->call; }

const char* eb_node_variant(const eb_node* node) { return node->variant->path; }
