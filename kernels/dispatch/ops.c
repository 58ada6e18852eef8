#include "ops.h"

#include <string.h>

/* An op whose kernel reports name as kernels/variants.inc does. */
#define OP(op, kernel_, leading_, constant_, operands_, results_, create_, measure_, run_) \
  {.name = #op,                                                                            \
   .call = #kernel_,                                                                       \
   .kernel = #kernel_,                                                                     \
   .leading = leading_,                                                                    \
   .constant = constant_,                                                                  \
   .operands = operands_,                                                                  \
   .results = results_,                                                                    \
   .create = eb_create_##create_,                                                          \
   .measure = eb_measure_##measure_,                                                       \
   .run_part = eb_run_##run_}

static const eb_op kOps[] = {
    /* Fused ops: edgebin/passes/fused.py. */
    OP(FusedBinaryLinear, b1_gemm, 2, 1, NULL, NULL, bits_gemm, bits_gemm, bits_gemm),
    OP(FusedTernaryLinear, b1_gemm, 3, 2, NULL, NULL, bits_gemm, ternary_gemm, bits_gemm),
    OP(FusedSignedLinear, w1_gemm, 2, 1, NULL, NULL, signed_gemm, float_gemm, signed_gemm),
    OP(FusedBinaryConv, b1_conv, 2, 1, NULL, NULL, conv, conv, conv),
    OP(FusedLinear, f32_gemm, 2, 1, NULL, NULL, float_gemm, float_gemm, float_gemm),
    {.name = "FusedMatMul",
     .call = "f32_matmul",
     .kernel = "f32_gemm",
     .leading = 2,
     .constant = -1,
     .create = eb_create_plain,
     .measure = eb_measure_matmul,
     .run_part = eb_run_matmul},
    OP(FusedRows, rows, 1, -1, NULL, NULL, plain, rows, rows),
    OP(FusedLayerNorm, layernorm, 1, -1, NULL, NULL, layernorm, layernorm, layernorm),
    {.name = "FusedStencil",
     .call = "f32_stencil",
     .kernel = "f32_stencil",
     .leading = 3,
     .constant = -1,
     .operands = "skip",
     .optional = 1,
     .results = "y",
     .create = eb_create_plain,
     .measure = eb_measure_stencil,
     .run_part = eb_run_stencil},
    /* Fused and concept ops alike. */
    OP(BinaryAttention, b1_attention, 5, -1, "", "context", attention, softmax, softmax),
    OP(RelativeAttention, b1_relative_attention, 3, -1, "", "context", attention, relative, relative),
    OP(BiasedAttention, b1_biased_attention, 6, -1, "", "context", attention, biased, biased),
    /* Concept ops: edgebin/graph/ops. */
    OP(BinaryLinear, b1_gemm, 2, 1, "scale bias", "out", bits_gemm, bits_gemm, bits_gemm),
    OP(TernaryLinear, b1_gemm, 3, 2, "scale bias", "out", bits_gemm, ternary_gemm, bits_gemm),
    OP(SignedLinear, w1_gemm, 2, 1, "scale bias", "out", signed_gemm, float_gemm, signed_gemm),
    OP(BinaryConv2d, b1_conv, 2, 1, "scale bias", "out", conv, conv, conv),
    OP(SignPack, rows, 1, -1, "threshold0", "bits0", plain, rows, rows),
    OP(RPReLU, rows, 2, 1, "slope offset", "out", rprelu, rprelu, rows),
    OP(PlusStencil, f32_stencil, 3, -1, "", "y", plain, stencil, stencil),
};
#define OPS (sizeof(kOps) / sizeof(kOps[0]))

const eb_op* eb_find_op(const char* name) {
  for (size_t i = 0; name && i < OPS; i++) {
    if (!strcmp(kOps[i].name, name)) return &kOps[i];
  }
  return NULL;
}

const char* eb_op_name(size_t index) { return index < OPS ? kOps[index].name : NULL; }

int eb_leading_inputs(const char* name) {
  const eb_op* op = eb_find_op(name);
  return op ? op->leading : -1;
}

int eb_constant_input(const char* name) {
  const eb_op* op = eb_find_op(name);
  return op ? op->constant : -1;
}
