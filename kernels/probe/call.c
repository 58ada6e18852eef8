#include "call.h"

#include <string.h>

#include "../runtime/fail.h"

static const eb_operation kOperations[] = {
    {"b1_gemm", "b1_gemm", {"m", "k", "n"}, eb_prepare_b1_gemm},
    {"b1_gemm_ternary", "b1_gemm", {"m", "k", "n"}, eb_prepare_b1_gemm_ternary},
    {"f32_gemm", "f32_gemm", {"m", "k", "n"}, eb_prepare_f32_gemm},
    {"w1_gemm", "w1_gemm", {"m", "k", "n"}, eb_prepare_w1_gemm},
    {"w1i8_gemm", "w1i8_gemm", {"m", "k", "n"}, eb_prepare_w1i8_gemm},
    {"rows", "rows", {"m", "n"}, eb_prepare_rows},
    {"rows_i32", "rows", {"m", "n"}, eb_prepare_rows_i32},
    {"quantize", "quantize", {"m", "n"}, eb_prepare_quantize},
    {"layernorm", "layernorm", {"m", "n"}, eb_prepare_layernorm},
    {"b1_conv", "b1_conv", {"h", "w", "c", "n", "kernel", "dilation", "groups"}, eb_prepare_b1_conv},
    {"f32_stencil", "f32_stencil", {"h", "w", "c"}, eb_prepare_f32_stencil},
    {"b1_attention", "b1_attention", {"heads", "head_dim", "nq", "nkv", "maps"}, eb_prepare_b1_attention},
    {"b1_relative_attention",
     "b1_relative_attention",
     {"heads", "head_dim", "nq", "nkv"},
     eb_prepare_b1_relative_attention},
    {"b1_biased_attention", "b1_biased_attention", {"heads", "head_dim", "nq", "nkv"}, eb_prepare_b1_biased_attention},
};

const eb_operation* eb_find_operation(const char* op) {
  for (size_t i = 0; i < sizeof(kOperations) / sizeof(kOperations[0]); i++) {
    if (!strcmp(kOperations[i].op, op)) return &kOperations[i];
  }
  eb_fail(EB_EXIT_INPUT, "no such operation: `%s`", op);
}

void* eb_add_result(eb_call* call, size_t bytes) {
  void* data = eb_allocate_aligned(bytes);
  call->results[call->result_count++] = (eb_result){data, bytes};
  return data;
}
