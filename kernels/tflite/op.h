/* What the delegate knows of an op, and what an op knows of its node. */
#ifndef EDGEBIN_TFLITE_OP_H
#define EDGEBIN_TFLITE_OP_H

#include "../dispatch/dispatch.h"
#include "abi.h"
#include "pool.h"

/* A node of the graph. Its arrays belong to the model and outlive it, but for the context, which comes with each call.
 */
typedef struct {
  TfLiteContext* context;
  const char* code; /* the custom op's name */
  const void* options;
  size_t option_bytes;
  const int *inputs, *outputs; /* indices of tensors; TFLITE_OPTIONAL_TENSOR where an input is left out */
  size_t input_count, output_count;
  eb_pool* pool;
  char message[EB_MESSAGE_BYTES]; /* why the call failed */
} tfl_call;

/* `create` reads the options; `prepare` is called whenever shapes are new, resizes the outputs and packs what is
 * constant; `run` computes. All say with NULL or 0 that they failed, and why in call->message. */
typedef struct {
  void* (*create)(tfl_call* call);
  int (*prepare)(void* self, tfl_call* call);
  int (*run)(void* self, tfl_call* call);
  void (*destroy)(void* self);
} tfl_op;

extern const tfl_op tfl_lce_quantize, tfl_lce_dequantize, tfl_lce_max_pool, tfl_lce_conv;
extern const tfl_op tfl_edgebin_op; /* Edgebin<op type of kernels/dispatch> */

/* Writes call->message and returns 0. */
__attribute__((format(printf, 2, 3))) int tfl_fail(tfl_call* call, const char* format, ...);

/* The tensor of an input or output; NULL where it is left out. */
TfLiteTensor* tfl_input(const tfl_call* call, size_t index);
TfLiteTensor* tfl_output(const tfl_call* call, size_t index);

int tfl_is_constant(const TfLiteTensor* tensor);

/* The product of all dimensions but the last. */
size_t tfl_rows_of(const TfLiteTensor* tensor);
size_t tfl_last_of(const TfLiteTensor* tensor);

/* How reports call the node: as its first output. */
const char* tfl_name(const tfl_call* call);

/* Options that have to be there, all of them integers. */
typedef struct {
  const char* key;
  int64_t* value;
} tfl_int_option;
int tfl_read_ints(tfl_call* call, const tfl_int_option* options, size_t count);

/* Whether there are these numbers of inputs and outputs, and a tensor wherever one is needed. */
int tfl_check_arity(tfl_call* call, size_t inputs, size_t outputs);

/* Gives an output its shape. */
int tfl_resize_output(tfl_call* call, size_t index, size_t rank, const int64_t* dims);

/* The tensor as kernels/dispatch sees it; 0 if its type or rank is none of its. `data` is set for constants, and for
 * all with `with_data`. */
int tfl_describe(const TfLiteTensor* tensor, int with_data, eb_tensor* described);

#endif
