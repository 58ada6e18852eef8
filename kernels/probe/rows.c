/* Calls of what works row by row; dims m, n. */
#include <string.h>

#include "../runtime/fail.h"
#include "call.h"
#include "epilogues.h"
#include "values.h"

void eb_prepare_rows(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  (void)variant;
  const size_t m = dims[0], n = dims[1];
  call->args.rows = (eb_rows_args){.m = m, .n = n};
  call->args.rows.x_f32 = eb_random_floats(m * n);
  call->args.rows.epilogue = eb_make_epilogue(call, out, m, n);
}

void eb_prepare_rows_i32(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  (void)variant;
  const size_t m = dims[0], n = dims[1];
  int32_t* x = eb_allocate_aligned(m * n * sizeof(int32_t));
  const float* values = eb_random_floats(m * n);
  for (size_t i = 0; i < m * n; i++) x[i] = (int32_t)(values[i] * 100.0f);
  call->args.rows = (eb_rows_args){.m = m, .n = n, .x_i32 = x};
  call->args.rows.epilogue = eb_make_epilogue(call, out, m, n);
}

void eb_prepare_quantize(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  (void)variant;
  const size_t m = dims[0], n = dims[1];
  if (strcmp(out, "int")) eb_fail(EB_EXIT_INPUT, "quantisation gives `int`, not `%s`", out);
  call->args.quantize = (eb_quantize_args){.m = m, .n = n, .x = eb_random_floats(m * n)};
  call->args.quantize.q = eb_add_result(call, m * n);
  call->args.quantize.scale = eb_add_result(call, m * sizeof(float));
}

void eb_prepare_layernorm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  (void)variant;
  const size_t m = dims[0], n = dims[1];
  call->args.layernorm = (eb_layernorm_args){.m = m, .n = n, .x = eb_random_floats(m * n), .epsilon = 1e-6f};
  call->args.layernorm.epilogue = eb_make_epilogue(call, out, m, n);
}
