/* What the files of this folder know of a node, of an op and of one run. */
#ifndef EDGEBIN_DISPATCH_NODE_H
#define EDGEBIN_DISPATCH_NODE_H

#include <stdatomic.h>

#include "../internal/compiler.h"
#include "../linked/variants.h"
#include "dispatch.h"
#include "edgebin.h"

typedef struct eb_call eb_call;

/* An op. `call` is its kernel as reports name it, `kernel` as kernels/variants.inc does. Of the inputs, `leading` are
 * its own, of which number `constant` is packed; the others are its epilogue's: `operands`, or what the node's
 * attribute says where that is NULL. `results` likewise; those named `context` and `y` belong to ops without an
 * epilogue. `optional`: the operands may be left out.
 *
 *   create    checks the attributes and packs the constant; 0 on success
 *   measure   checks the leading inputs of one run and fills rows, columns, parts and what `run_part` needs
 *   run_part  is what eb_parallel_for calls */
typedef struct {
  const char *name, *call, *kernel;
  int leading, constant;
  const char *operands, *results;
  int (*create)(eb_node* node, const eb_tensor* inputs, char* message);
  int (*measure)(eb_call* call, char* message);
  void (*run_part)(void* call, size_t index);
  int optional;
} eb_op;

typedef enum { EB_OUT, EB_BITS, EB_CONTEXT, EB_IMAGE } eb_result_kind;

/* A result; `index` is the bit plane's. `shape` holds the shape that the attribute `shapes` gives it, rank 0 if none.
 */
typedef struct {
  eb_result_kind kind;
  size_t index;
  eb_tensor shape;
} eb_node_result;

struct eb_node {
  const eb_op* op;
  char* name;
  eb_attributes attributes; /* numbers only: the strings are NULL */
  const eb_variant* variant;
  size_t parts;
  void* packed; /* panels, or RPReLU's negated shift */
  size_t n, k;  /* of the packed weight */
  size_t operand_count, result_count;
  unsigned char operands[EB_MAX_INPUTS]; /* numbers of words in epilogue.c */
  eb_node_result results[EB_MAX_OUTPUTS];
};

/* One run. `rows` by `columns` are the values before the epilogue, `parts` the calls of `run_part`; the rest is for
 * that: rows or image rows of a part, sizes of an image or a product. */
struct eb_call {
  const eb_node* node;
  const eb_tensor* inputs;
  eb_tensor* outputs;
  size_t rows, columns, parts;
  size_t per_part, image_parts;
  size_t images, height, width;
  size_t m, k;
  atomic_int out_of_memory;
};

/* Writes the message and returns -1. */
int eb_refuse(char* message, const char* format, ...) __attribute__((format(printf, 2, 3)));

/* Memory of 64-byte alignment; NULL: there is none. Released with free. */
void* eb_aligned(size_t bytes);

/* epilogue.c: reads the words of `operands` and `results`; checks the operands of a run; makes the epilogue of the rows
 * from `begin` on. */
int eb_read_epilogue(eb_node* node, const eb_attributes* attributes, size_t input_count, char* message);
int eb_check_epilogue(const eb_call* call, char* message);
eb_epilogue eb_epilogue_from(const eb_call* call, size_t begin);

/* tensor.c */
int eb_is_bits(const eb_tensor* tensor);
size_t eb_last(const eb_tensor* tensor);      /* elements of a row */
size_t eb_row_bytes(const eb_tensor* tensor); /* bytes of a row */
/* Product of all dimensions but the last `skip`; 0 on success. */
int eb_count(const eb_tensor* tensor, size_t skip, size_t* count);
int eb_has_shape(const eb_tensor* tensor, eb_type type, size_t rank, const size_t* dims);
/* Reads a word such as `1x196x384`. */
int eb_read_shape(const char* word, size_t length, eb_tensor* tensor);

/* split.c: rows or image rows of a run into parts. */
void eb_split_rows(eb_call* call);
void eb_split_images(eb_call* call);
void eb_part_of_image(const eb_call* call, size_t index, size_t* image, size_t* row_begin, size_t* row_end);
/* Calls the node's kernel with the workspace it asks for, at `workspace` in `args`. */
void eb_run_with_workspace(eb_call* call, const void* args, void** workspace);

/* The ops' functions. */
int eb_create_bits_gemm(eb_node*, const eb_tensor*, char*), eb_create_signed_gemm(eb_node*, const eb_tensor*, char*);
int eb_create_float_gemm(eb_node*, const eb_tensor*, char*), eb_create_conv(eb_node*, const eb_tensor*, char*);
int eb_create_rprelu(eb_node*, const eb_tensor*, char*), eb_create_layernorm(eb_node*, const eb_tensor*, char*);
int eb_create_attention(eb_node*, const eb_tensor*, char*), eb_create_plain(eb_node*, const eb_tensor*, char*);
int eb_measure_bits_gemm(eb_call*, char*), eb_measure_ternary_gemm(eb_call*, char*);
int eb_measure_float_gemm(eb_call*, char*), eb_measure_matmul(eb_call*, char*);
int eb_measure_rows(eb_call*, char*), eb_measure_rprelu(eb_call*, char*), eb_measure_layernorm(eb_call*, char*);
int eb_measure_conv(eb_call*, char*), eb_measure_stencil(eb_call*, char*);
int eb_measure_softmax(eb_call*, char*), eb_measure_relative(eb_call*, char*), eb_measure_biased(eb_call*, char*);
void eb_run_bits_gemm(void*, size_t), eb_run_float_gemm(void*, size_t), eb_run_signed_gemm(void*, size_t);
void eb_run_matmul(void*, size_t), eb_run_rows(void*, size_t), eb_run_layernorm(void*, size_t);
void eb_run_conv(void*, size_t), eb_run_stencil(void*, size_t);
void eb_run_softmax(void*, size_t), eb_run_relative(void*, size_t), eb_run_biased(void*, size_t);

#endif
