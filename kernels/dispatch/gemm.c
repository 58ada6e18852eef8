/* Products: b1_gemm with one or two planes of bits, w1_gemm, f32_gemm, and f32_gemm on a right-hand side of run time.
 */
#include <stdlib.h>

#include "../f32-gemm/pack.h"
#include "node.h"

static int check_bits(const eb_tensor* a, size_t row_bytes, char* message) {
  if (eb_is_bits(a) && eb_row_bytes(a) == row_bytes) return 0;
  return eb_refuse(message, "its bits are not rows of %zu bytes", row_bytes);
}

static int measure(eb_call* call, char* message) {
  if (eb_count(&call->inputs[0], 1, &call->rows)) return eb_refuse(message, "its first input has no such shape");
  call->columns = call->node->n;
  eb_split_rows(call);
  return 0;
}

int eb_measure_bits_gemm(eb_call* call, char* message) {
  return check_bits(&call->inputs[0], EB_BIT_ROW_BYTES(call->node->k), message) ? -1 : measure(call, message);
}

int eb_measure_ternary_gemm(eb_call* call, char* message) {
  size_t rows;
  if (eb_measure_bits_gemm(call, message)) return -1;
  if (check_bits(&call->inputs[1], EB_BIT_ROW_BYTES(call->node->k), message)) return -1;
  if (eb_count(&call->inputs[1], 1, &rows) || rows != call->rows) return eb_refuse(message, "its two planes differ");
  return 0;
}

int eb_measure_float_gemm(eb_call* call, char* message) {
  const eb_tensor* a = &call->inputs[0];
  if (a->type == EB_F32 && a->rank && eb_last(a) == call->node->k) return measure(call, message);
  return eb_refuse(message, "its first input is not float32 rows of %zu", call->node->k);
}

int eb_measure_matmul(eb_call* call, char* message) {
  const eb_tensor *a = &call->inputs[0], *b = &call->inputs[1];
  size_t inner;
  if (a->type != EB_F32 || b->type != EB_F32 || a->rank < 2 || a->rank != b->rank) {
    return eb_refuse(message, "its matrices are not two float32 tensors of one rank");
  }
  if (eb_count(a, 1, &call->rows) || eb_count(a, 2, &call->parts) || eb_count(b, 2, &inner)) {
    return eb_refuse(message, "its matrices have no such shape");
  }
  for (size_t i = 0; i + 2 < a->rank; i++) {
    if (a->dims[i] != b->dims[i]) return eb_refuse(message, "its matrices are not equally many");
  }
  call->m = (size_t)a->dims[a->rank - 2];
  call->k = eb_last(a);
  call->columns = eb_last(b);
  if (!call->k || !call->columns || (size_t)b->dims[b->rank - 2] != call->k)
    return eb_refuse(message, "its matrices do not multiply");
  return 0;
}

/* The rows of a part. */
static size_t part_rows(const eb_call* call, size_t index, size_t* begin) {
  *begin = index * call->per_part;
  return EB_MIN(call->rows - *begin, call->per_part);
}

void eb_run_bits_gemm(void* at, size_t index) {
  const eb_call* call = at;
  const eb_node* node = call->node;
  size_t begin;
  const size_t m = part_rows(call, index, &begin), row_bytes = EB_BIT_ROW_BYTES(node->k);
  const eb_b1_gemm_args args = {
      .m = m,
      .n = node->n,
      .k = node->k,
      .a = (const uint8_t*)call->inputs[0].data + begin * row_bytes,
      .a2 = node->op->constant == 2 ? (const uint8_t*)call->inputs[1].data + begin * row_bytes : NULL,
      .w = node->packed,
      .epilogue = eb_epilogue_from(call, begin),
  };
  node->variant->run(&args);
}

void eb_run_signed_gemm(void* at, size_t index) {
  const eb_call* call = at;
  const eb_node* node = call->node;
  size_t begin;
  const size_t m = part_rows(call, index, &begin);
  const float* a = (const float*)call->inputs[0].data + begin * node->k;
  const eb_w1_gemm_args args = {m, node->n, node->k, a, node->packed, eb_epilogue_from(call, begin)};
  node->variant->run(&args);
}

void eb_run_float_gemm(void* at, size_t index) {
  const eb_call* call = at;
  const eb_node* node = call->node;
  size_t begin;
  const size_t m = part_rows(call, index, &begin);
  const float* a = (const float*)call->inputs[0].data + begin * node->k;
  const eb_f32_gemm_args args = {m, node->n, node->k, a, node->packed, eb_epilogue_from(call, begin)};
  node->variant->run(&args);
}

void eb_run_matmul(void* at, size_t index) {
  eb_call* call = at;
  const size_t begin = index * call->m, k = call->k, n = call->columns, nr = call->node->variant->nr;
  float* panels = eb_aligned(EB_CEIL_DIV(n, nr) * nr * k * sizeof(float));
  if (!panels) {
    atomic_store(&call->out_of_memory, 1);
    return;
  }
  eb_f32_pack((const float*)call->inputs[1].data + index * k * n, k, n, nr, panels);
  const float* a = (const float*)call->inputs[0].data + begin * k;
  const eb_f32_gemm_args args = {call->m, n, k, a, panels, eb_epilogue_from(call, begin)};
  call->node->variant->run(&args);
  free(panels);
}
