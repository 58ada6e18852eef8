/* One kernel call with everything that it reads and writes, ready to be made any number of times. */
#ifndef EDGEBIN_PROBE_CALL_H
#define EDGEBIN_PROBE_CALL_H

#include "../linked/variants.h"
#include "edgebin.h"

#define EB_MAX_DIMS 7

typedef struct {
  void* data;
  size_t bytes;
} eb_result;

/* `macs`: multiply-accumulates, binary or float; 0 for elementwise operations. */
typedef struct {
  union {
    eb_b1_gemm_args b1_gemm;
    eb_f32_gemm_args f32_gemm;
    eb_w1_gemm_args w1_gemm;
    eb_w1i8_gemm_args w1i8_gemm;
    eb_rows_args rows;
    eb_quantize_args quantize;
    eb_layernorm_args layernorm;
    eb_b1_conv_args b1_conv;
    eb_b1_attention_args b1_attention;
    eb_b1_relative_attention_args b1_relative_attention;
    eb_b1_biased_attention_args b1_biased_attention;
    eb_f32_stencil_args f32_stencil;
  } args;
  eb_result results[1 + EB_MAX_BIT_PLANES];
  size_t result_count;
  uint64_t macs;
} eb_call;

/* An operation: the kernel that does it, its sizes, named in the order of the command line, and what makes a call of
 * them. `out` says what is done with the values: see epilogues.h. The same arguments give the same inputs each time. */
typedef struct {
  const char* op;
  const char* kernel;
  const char* dims[EB_MAX_DIMS];
  void (*prepare)(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out);
} eb_operation;

/* Ends the program with a message if there is none. */
const eb_operation* eb_find_operation(const char* op);

/* Memory for a result; the call remembers it. */
void* eb_add_result(eb_call* call, size_t bytes);

/* The preparations, one for each operation. */
typedef void eb_prepare(eb_call* call, const eb_variant* variant, const size_t* dims, const char* out);
eb_prepare eb_prepare_b1_gemm, eb_prepare_b1_gemm_ternary, eb_prepare_f32_gemm, eb_prepare_w1_gemm;
eb_prepare eb_prepare_w1i8_gemm, eb_prepare_rows, eb_prepare_rows_i32, eb_prepare_quantize, eb_prepare_layernorm;
eb_prepare eb_prepare_b1_conv, eb_prepare_f32_stencil;
eb_prepare eb_prepare_b1_attention, eb_prepare_b1_relative_attention, eb_prepare_b1_biased_attention;

#endif
