/* Calls of the attentions; dims heads, head_dim, nq, nkv (b1_attention: maps as well). Both products count as work. */
#include <math.h>
#include <string.h>

#include "../runtime/fail.h"
#include "call.h"
#include "values.h"

/* Fills what the three argument structs have in common. */
#define PREPARE(args, dims, out)                                                          \
  if (strcmp(out, "int")) eb_fail(EB_EXIT_INPUT, "attention gives `int`, not `%s`", out); \
  (args)->heads = (args)->head_end = dims[0];                                             \
  (args)->head_dim = dims[1], (args)->nq = dims[2], (args)->nkv = dims[3];                \
  (args)->q = eb_random_bits(dims[2], dims[0] * dims[1]);                                 \
  (args)->k = eb_random_bits(dims[3], dims[0] * dims[1]);                                 \
  (args)->v = eb_random_bits(dims[3], dims[0] * dims[1]);                                 \
  (args)->context = eb_add_result(call, dims[2] * dims[0] * dims[1] * sizeof(int32_t));   \
  call->macs = (uint64_t)dims[0] * dims[1] * dims[2] * dims[3] * 2;

/* exp of scores scaled as attention scales them; map s keeps what is at least (s + 1) times the mean of its row. */
void eb_prepare_b1_attention(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  eb_b1_attention_args* args = &call->args.b1_attention;
  *args = (eb_b1_attention_args){.maps = dims[4]};
  PREPARE(args, dims, out)
  call->macs = call->macs / 2 * (1 + args->maps);
  const size_t d = args->head_dim;
  int64_t* table = eb_allocate_aligned((d + 1) * sizeof(int64_t));
  int64_t* limit = eb_allocate_aligned(args->maps * args->heads * (d + 1) * sizeof(int64_t));
  for (size_t i = 0; i <= d; i++) {
    table[i] = (int64_t)(exp(2.0 * ((double)i - (double)d) / sqrt((double)d)) * 0x1p32);
    for (size_t row = 0; row < args->maps * args->heads; row++) {
      limit[row * (d + 1) + i] = table[i] * (int64_t)(args->nkv * (row / args->heads + 1));
    }
  }
  args->exp_table = table;
  args->limit = limit;
  args->workspace = eb_allocate_aligned(variant->workspace(args));
}

void eb_prepare_b1_relative_attention(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  eb_b1_relative_attention_args* args = &call->args.b1_relative_attention;
  *args = (eb_b1_relative_attention_args){.drop = dims[1] / 8};
  PREPARE(args, dims, out)
  args->workspace = eb_allocate_aligned(variant->workspace(args));
}

void eb_prepare_b1_biased_attention(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out) {
  eb_b1_biased_attention_args* args = &call->args.b1_biased_attention;
  *args = (eb_b1_biased_attention_args){.scale = 0.125f, .margin = 1.0f};
  PREPARE(args, dims, out)
  args->bias = eb_random_floats(dims[0] * dims[2] * dims[3]);
  args->workspace = eb_allocate_aligned(variant->workspace(args));
}
