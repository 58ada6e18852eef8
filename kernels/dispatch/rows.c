/* What works row by row: eb_rows and eb_layernorm. */
#include <math.h>

#include "node.h"

int eb_create_plain(eb_node* node, const eb_tensor* inputs, char* message) {
  (void)node, (void)inputs, (void)message;
  return 0;
}

/* (x - shift) is x + bias with the bias of the other sign. */
int eb_create_rprelu(eb_node* node, const eb_tensor* inputs, char* message) {
  const eb_tensor* shift = &inputs[1];
  size_t rows;
  if (shift->type != EB_F32 || shift->rank != 1 || eb_count(shift, 1, &rows)) {
    return eb_refuse(message, "its shift is not a vector of float32");
  }
  node->n = eb_last(shift);
  float* bias = node->packed = eb_aligned(node->n * sizeof(float));
  if (!bias) return eb_refuse(message, "out of memory for %zu values", node->n);
  for (size_t i = 0; i < node->n; i++) bias[i] = -((const float*)shift->data)[i];
  return 0;
}

int eb_create_layernorm(eb_node* node, const eb_tensor* inputs, char* message) {
  (void)inputs;
  const float epsilon = node->attributes.epsilon;
  return epsilon > 0 && isfinite(epsilon) ? 0 : eb_refuse(message, "its epsilon is not greater than 0");
}

static int measure(eb_call* call, int integers, char* message) {
  const eb_tensor* x = &call->inputs[0];
  const int fits = x->type == EB_F32 || (integers && x->type == EB_I32);
  if (!fits || !x->rank || eb_count(x, 1, &call->rows) || !eb_last(x)) {
    return eb_refuse(message, "its input is not rows of float32%s", integers ? " or int32" : "");
  }
  call->columns = eb_last(x);
  eb_split_rows(call);
  return 0;
}

int eb_measure_rows(eb_call* call, char* message) { return measure(call, 1, message); }

int eb_measure_layernorm(eb_call* call, char* message) { return measure(call, 0, message); }

int eb_measure_rprelu(eb_call* call, char* message) {
  if (measure(call, 0, message)) return -1;
  if (call->columns == call->node->n) return 0;
  return eb_refuse(message, "a shift of %zu values does not fit rows of %zu", call->node->n, call->columns);
}

void eb_run_rows(void* at, size_t index) {
  const eb_call* call = at;
  const eb_tensor* x = &call->inputs[0];
  const size_t begin = index * call->per_part, n = call->columns;
  eb_rows_args args = {.m = EB_MIN(call->rows - begin, call->per_part), .n = n};
  if (x->type == EB_F32) args.x_f32 = (const float*)x->data + begin * n;
  if (x->type == EB_I32) args.x_i32 = (const int32_t*)x->data + begin * n;
  args.epilogue = eb_epilogue_from(call, begin);
  if (call->node->packed) args.epilogue.bias = call->node->packed;
  call->node->variant->run(&args);
}

void eb_run_layernorm(void* at, size_t index) {
  const eb_call* call = at;
  const size_t begin = index * call->per_part, n = call->columns;
  const eb_layernorm_args args = {
      .m = EB_MIN(call->rows - begin, call->per_part),
      .n = n,
      .x = (const float*)call->inputs[0].data + begin * n,
      .epsilon = call->node->attributes.epsilon,
      .epilogue = eb_epilogue_from(call, begin),
  };
  call->node->variant->run(&args);
}
