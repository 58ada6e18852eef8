/* Calls of the products and of the elementwise kernel; dims m, k, n (rows: m, n). */
#include "../runtime/fail.h"
#include "call.h"
#include "epilogues.h"
#include "values.h"

static void prepare_b1_gemm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out, int planes) {
  const size_t m = dims[0], k = dims[1], n = dims[2];
  eb_b1_gemm_args* args = &call->args.b1_gemm;
  *args = (eb_b1_gemm_args){.m = m, .n = n, .k = k};
  args->a = eb_random_bits(m, k);
  if (planes == 2) args->a2 = eb_random_bits(m, k);
  args->w = eb_pack_panels(eb_random_bits(n, k), n, EB_BIT_ROW_BYTES(k), variant, NULL);
  args->epilogue = eb_make_epilogue(call, out, m, n);
  call->macs = (uint64_t)m * k * n * (uint64_t)planes;
}

void eb_prepare_b1_gemm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  prepare_b1_gemm(call, variant, dims, out, 1);
}

void eb_prepare_b1_gemm_ternary(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  prepare_b1_gemm(call, variant, dims, out, 2);
}

void eb_prepare_f32_gemm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  const size_t m = dims[0], k = dims[1], n = dims[2];
  eb_f32_gemm_args* args = &call->args.f32_gemm;
  *args = (eb_f32_gemm_args){.m = m, .n = n, .k = k};
  args->a = eb_random_floats(m * k);
  args->w = eb_pack_panels(eb_random_floats(n * k), n, k * sizeof(float), variant, NULL);
  args->epilogue = eb_make_epilogue(call, out, m, n);
  call->macs = (uint64_t)m * k * n;
}

void eb_prepare_w1_gemm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  const size_t m = dims[0], k = dims[1], n = dims[2];
  eb_w1_gemm_args* args = &call->args.w1_gemm;
  *args = (eb_w1_gemm_args){.m = m, .n = n, .k = k};
  args->a = eb_random_floats(m * k);
  args->w = eb_pack_bit_panels(eb_random_bits(n, k), n, k, variant);
  args->epilogue = eb_make_epilogue(call, out, m, n);
  call->macs = (uint64_t)m * k * n;
}

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
