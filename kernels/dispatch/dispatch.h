/* Nodes of a model as calls of the kernels, for runtimes that have a graph of their own: onnxruntime (kernels/ort),
 * TFLite (kernels/tflite).
 *
 * A node is what `edgebin/passes/fused.py` and `edgebin/graph/ops` describe: an op type, its attributes, its inputs in
 * order. It is made once per session, which packs its constant weights for its kernel, and then run any number of
 * times; runs of one node may overlap. Nothing here knows a runtime. Failures are messages, never exits. */
#ifndef EDGEBIN_DISPATCH_H
#define EDGEBIN_DISPATCH_H

#include <stddef.h>
#include <stdint.h>

#define EB_MAX_RANK 8
#define EB_MAX_INPUTS 24
#define EB_MAX_OUTPUTS 4
#define EB_MESSAGE_BYTES 256

typedef enum { EB_NO_TYPE, EB_F32, EB_U8, EB_I32, EB_I64 } eb_type;

/* A dense array. Bits may come as uint8 or as int32: the bytes are the same, the last axis counts elements. `data` is
 * NULL where a value is not known yet, a dimension is negative where a size is not. */
typedef struct {
  eb_type type;
  size_t rank;
  int64_t dims[EB_MAX_RANK];
  void* data;
} eb_tensor;

/* A node's attributes by the names that edgebin/passes/fused.py gives them; 0, NULL or "" where it has none.
 *
 * `variant` names the path or tuning that `compile` chose; where it is empty or not linked in, the first one that is.
 * `shapes` are the results' shapes, `1x196x384 1x196x48`, bits in bytes; where it is empty they follow from the inputs.
 * The concept ops (`BinaryLinear`, `SignPack`, ...) have neither `operands` nor `results`: theirs are fixed. */
typedef struct {
  const char *op, *operands, *results, *shapes, *variant;
  int64_t k, pool;
  int64_t kernel, dilation, groups, channels;
  int64_t heads, head_dim, drop;
  int64_t circular;
  float epsilon;
} eb_attributes;

/* Bytes of an element; 0 for EB_NO_TYPE. */
size_t eb_item_bytes(eb_type type);

typedef struct eb_node eb_node;

/* Calls part(call, 0) .. part(call, count - 1), in any order, perhaps at the same time, and returns when all are done.
 */
typedef void eb_parallel_for(void* pool, size_t count, void (*part)(void* call, size_t index), void* call);

/* The name of each op that is known, by number; NULL after the last one. */
const char* eb_op_name(size_t index);

/* How many inputs at the front of an op belong to it rather than to its epilogue, and which of them has to be constant
 * (-1: none); -1: there is no such op. The stencil's `skip` belongs to its epilogue. */
int eb_leading_inputs(const char* op);
int eb_constant_input(const char* op);

/* Makes a node. `inputs` have data where `eb_constant_input` wants it, and types and shapes there; the others are not
 * looked at. The constant is copied into packed panels and need not outlive the call, nor need `attributes`, `name`.
 * `parts` is into how many parts rows are split, at most. NULL: `message` (EB_MESSAGE_BYTES) says why. */
eb_node* eb_node_create(const eb_attributes* attributes, const char* name, const eb_tensor* inputs, size_t input_count,
                        size_t parts, char* message);
void eb_node_destroy(eb_node* node);

/* The number of results, and their types and shapes for inputs of these shapes (data is not looked at): bits are uint8,
 * contexts of attentions int32, everything else float32. 0 on success. */
size_t eb_node_output_count(const eb_node* node);
int eb_node_output_shapes(const eb_node* node, const eb_tensor* inputs, size_t input_count, eb_tensor* outputs,
                          char* message);

/* The same before there is a node: from attributes, types and shapes alone, as far as they are known. Unknown sizes of
 * results are negative; those before the last are the sizes of the first input. Checks no input against another. */
int eb_infer_outputs(const eb_attributes* attributes, const eb_tensor* inputs, size_t input_count, eb_tensor* outputs,
                     size_t* output_count, char* message);

/* Runs the node; `outputs` have data, and the bytes that eb_node_output_shapes says: their ranks are free, and bits may
 * be int32 here too. With `parallel_for` NULL all parts run in the calling thread. 0 on success. */
int eb_node_run(const eb_node* node, const eb_tensor* inputs, size_t input_count, eb_tensor* outputs,
                eb_parallel_for* parallel_for, void* pool, char* message);

/* The kernel that a node calls, such as `b1_gemm` (`f32_matmul` where f32_gemm packs a run-time right-hand side), and
 * the path or tuning, such as `neon_tbl`. */
const char* eb_node_kernel(const eb_node* node);
const char* eb_node_variant(const eb_node* node);

/* Calls `observer` before (after = 0) and after (after = 1) each run of each node of this library that has a name, from
 * the thread that runs the graph; NULL ends that. For the runner, which times, counts and samples layers by it. Both
 * libraries export it. */
typedef void edgebin_observer(void* self, const char* name, const eb_tensor* outputs, size_t output_count, int after);
__attribute__((visibility("default"))) void edgebin_observe(edgebin_observer* observer, void* self);

#endif
