/* Calls of the products; dims m, k, n. */
#include "../linked/pack.h"
#include "../runtime/fail.h"
#include "call.h"
#include "epilogues.h"
#include "values.h"

static void* panels_of(const void* rows, size_t n, size_t row_bytes, const eb_variant* variant) {
  void* panels = eb_allocate_aligned(eb_panel_bytes(n, row_bytes, variant));
  eb_pack_panels(rows, n, row_bytes, variant, panels);
  return panels;
}

static void prepare_b1_gemm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out, int planes) {
  const size_t m = dims[0], k = dims[1], n = dims[2];
  eb_b1_gemm_args* args = &call->args.b1_gemm;
  *args = (eb_b1_gemm_args){.m = m, .n = n, .k = k};
  args->a = eb_random_bits(m, k);
  if (planes == 2) args->a2 = eb_random_bits(m, k);
  args->w = panels_of(eb_random_bits(n, k), n, EB_BIT_ROW_BYTES(k), variant);
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
  args->w = panels_of(eb_random_floats(n * k), n, k * sizeof(float), variant);
  args->epilogue = eb_make_epilogue(call, out, m, n);
  call->macs = (uint64_t)m * k * n;
}

void eb_prepare_w1_gemm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  const size_t m = dims[0], k = dims[1], n = dims[2];
  eb_w1_gemm_args* args = &call->args.w1_gemm;
  *args = (eb_w1_gemm_args){.m = m, .n = n, .k = k};
  args->a = eb_random_floats(m * k);
  void* panels = eb_allocate_aligned(eb_bit_panel_bytes(n, k, variant));
  eb_pack_bit_panels(eb_random_bits(n, k), n, k, variant, panels);
  args->w = panels;
  args->epilogue = eb_make_epilogue(call, out, m, n);
  call->macs = (uint64_t)m * k * n;
}

void eb_prepare_w1i8_gemm(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  const size_t m = dims[0], k = dims[1], n = dims[2];
  eb_w1i8_gemm_args* args = &call->args.w1i8_gemm;
  *args = (eb_w1i8_gemm_args){.m = m, .n = n, .k = k};
  int8_t* a = eb_allocate_aligned(m * k);
  const float* values = eb_random_floats(m * k);
  for (size_t i = 0; i < m * k; i++) a[i] = (int8_t)(values[i] * 63.0f);
  args->a = a;
  args->row_scale = eb_random_floats(m);
  args->w = panels_of(eb_random_bits(n, k), n, EB_BIT_ROW_BYTES(k), variant);
  args->workspace = eb_allocate_aligned(variant->workspace(args));
  args->epilogue = eb_make_epilogue(call, out, m, n);
  call->macs = (uint64_t)m * k * n;
}
