/* Constant inputs are taken once, when a session is made: asking onnxruntime for a tensor takes longer than some
 * kernels do. What dispatch packs is not kept; the others are copied, as nothing promises that they stay where they
 * are. */
#include "kernel.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dispatch/dispatch.h"
#include "attributes.h"
#include "tensor.h"

/* Into how many parts rows are split at most: the cores of the target, as the build says. */
#ifndef EB_PARTS
#define EB_PARTS 4
#endif

#define LABEL_BYTES 256

/* `inputs` with data are constant; `copies` holds that data. `typed`: the file gives results the types that they have.
 */
typedef struct {
  const OrtApi* api;
  eb_node* node;
  char label[LABEL_BYTES];
  size_t input_count;
  eb_tensor inputs[EB_MAX_INPUTS];
  int is_constant[EB_MAX_INPUTS];
  void* copies[EB_MAX_INPUTS];
  atomic_int typed;
} kernel;

typedef struct {
  const OrtApi* api;
  const OrtKernelContext* context;
} thread_pool;

static OrtStatus* refuse(const kernel* k, const char* message) {
  char text[LABEL_BYTES + EB_MESSAGE_BYTES + 16];
  snprintf(text, sizeof(text), "edgebin: %s: %s", k->label, message);
  return k->api->CreateStatus(ORT_INVALID_ARGUMENT, text);
}

/* Keeps a constant's data. */
static OrtStatus* copy_constant(kernel* k, size_t index) {
  eb_tensor* tensor = &k->inputs[index];
  size_t bytes = eb_item_bytes(tensor->type);
  for (size_t i = 0; i < tensor->rank; i++) bytes *= (size_t)tensor->dims[i];
  k->copies[index] = malloc(bytes ? bytes : 1);
  if (!k->copies[index]) return refuse(k, "out of memory");
  if (bytes) memcpy(k->copies[index], tensor->data, bytes);
  tensor->data = k->copies[index];
  return NULL;
}

/* All constant inputs, that of dispatch in onnxruntime's own memory. */
static OrtStatus* read_constants(kernel* k, const char* op, const OrtKernelInfo* info) {
  OrtStatus* status = k->api->KernelInfo_GetInputCount(info, &k->input_count);
  if (status) return status;
  if (k->input_count > EB_MAX_INPUTS) return refuse(k, "it has too many inputs");
  for (size_t i = 0; i < k->input_count && !status; i++) {
    const OrtValue* value = NULL;
    status = k->api->KernelInfoGetConstantInput_tensor(info, i, &k->is_constant[i], &value);
    k->is_constant[i] = k->is_constant[i] && value;
    if (status || !k->is_constant[i]) continue;
    status = eb_ort_read_tensor(k->api, value, &k->inputs[i]);
    if (status || (int)i == eb_constant_input(op)) continue;
    if (k->inputs[i].type == EB_NO_TYPE) return refuse(k, "only float32, uint8, int32 and int64 inputs are possible");
    status = copy_constant(k, i);
  }
  return status;
}

static OrtStatus* create(kernel* k, const char* op, const OrtKernelInfo* info) {
  eb_ort_attributes read;
  char message[EB_MESSAGE_BYTES] = "";
  eb_ort_read_attributes(&(eb_ort_node){.api = k->api, .info = info}, &read);
  snprintf(k->label, sizeof(k->label), "node `%s` (%s)", read.name ? read.name : "", op);
  read.attributes.op = op;
  OrtStatus* status = read_constants(k, op, info);
  if (!status) {
    k->node = eb_node_create(&read.attributes, read.name, k->inputs, k->input_count, EB_PARTS, message);
    if (!k->node) status = refuse(k, message);
  }
  eb_ort_free_attributes(&read);
  /* Packed now, and onnxruntime may let go of it. */
  const int constant = eb_constant_input(op);
  if (constant >= 0) k->inputs[constant].data = NULL;
  return status;
}

OrtStatus* eb_ort_create(const char* op, const OrtApi* api, const OrtKernelInfo* info, void** made) {
  kernel* k = calloc(1, sizeof(*k));
  if (!k) return api->CreateStatus(ORT_FAIL, "edgebin: out of memory");
  k->api = api;
  OrtStatus* status = create(k, op, info);
  if (status) {
    eb_ort_destroy(k);
    return status;
  }
  *made = k;
  return NULL;
}

void eb_ort_destroy(void* made) {
  kernel* k = made;
  eb_node_destroy(k->node);
  for (size_t i = 0; i < EB_MAX_INPUTS; i++) free(k->copies[i]);
  free(k);
}

static void parallel_for(void* pool, size_t count, void (*part)(void* call, size_t index), void* call) {
  const thread_pool* p = pool;
  OrtStatus* status = p->api->KernelContext_ParallelFor(p->context, part, count, 0, call);
  if (!status) return;
  p->api->ReleaseStatus(status);
  for (size_t i = 0; i < count; i++) part(call, i);
}

/* Memory for results comes in the type that the file gives them. */
static OrtStatus* make_output(const kernel* k, OrtKernelContext* context, size_t index, int typed, eb_tensor* output) {
  OrtValue* value = NULL;
  eb_tensor made;
  OrtStatus* status = k->api->KernelContext_GetOutput(context, index, output->dims, output->rank, &value);
  if (status) return status;
  if (!value) return refuse(k, "the file leaves out one of its results");
  if (typed) return k->api->GetTensorMutableData(value, &output->data);
  status = eb_ort_read_tensor(k->api, value, &made);
  if (status) return status;
  output->data = made.data;
  return made.type == output->type ? NULL : refuse(k, "the file gives a result another type than it has");
}

static OrtStatus* make_outputs(kernel* k, OrtKernelContext* context, eb_tensor* outputs) {
  const int typed = atomic_load(&k->typed);
  for (size_t i = 0; i < eb_node_output_count(k->node); i++) {
    OrtStatus* status = make_output(k, context, i, typed, &outputs[i]);
    if (status) return status;
  }
  atomic_store(&k->typed, 1);
  return NULL;
}

OrtStatus* eb_ort_compute(void* made, OrtKernelContext* context) {
  kernel* k = made;
  eb_tensor inputs[EB_MAX_INPUTS], outputs[EB_MAX_OUTPUTS];
  char message[EB_MESSAGE_BYTES];
  memcpy(inputs, k->inputs, k->input_count * sizeof(*inputs));
  for (size_t i = 0; i < k->input_count; i++) {
    const OrtValue* value = NULL;
    if (k->is_constant[i]) continue;
    OrtStatus* status = k->api->KernelContext_GetInput(context, i, &value);
    if (!status && !value) return refuse(k, "an input is missing");
    if (!status) status = eb_ort_read_tensor(k->api, value, &inputs[i]);
    if (status) return status;
  }
  if (eb_node_output_shapes(k->node, inputs, k->input_count, outputs, message)) return refuse(k, message);
  OrtStatus* status = make_outputs(k, context, outputs);
  if (status) return status;
  thread_pool pool = {k->api, context};
  const int failed = eb_node_run(k->node, inputs, k->input_count, outputs, parallel_for, &pool, message);
  return failed ? refuse(k, message) : NULL;
}
