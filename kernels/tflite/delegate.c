/* The TFLite external delegate: it takes the nodes of our custom ops out of a graph and runs them.
 *
 * Each node becomes a partition of its own, by a call of ReplaceNodeSubsetsWithDelegateKernels for it alone: so all
 * values between nodes stay tensors of the graph, which TFLite places in its arena, resizes and hands to other
 * delegates. Inputs are taken from the node that is replaced, for the partition's are sorted and without repetition.
 *
 * The delegate says that it allows dynamic tensors although it makes none: without that, TFLite prepares all nodes
 * before it asks, and refuses those custom ops that it does not know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../dispatch/observer.h"
#include "abi.h"
#include "op.h"
#include "pool.h"

#define API __attribute__((visibility("default")))

enum { BUILTIN_CUSTOM = 32 };
#define EDGEBIN_PREFIX "Edgebin"

typedef struct {
  TfLiteDelegate interface; /* first: TFLite knows this one's address */
  int threads;              /* 0: as many as TFLite recommends */
  eb_pool* pool;
} tfl_delegate;

typedef struct {
  const tfl_op* op;
  void* self; /* NULL where it could not be made: call.message says why */
  tfl_call call;
} tfl_kernel;

static const tfl_op* find_op(const TfLiteRegistration* registration) {
  static const struct {
    const char* code;
    const tfl_op* op;
  } ops[] = {
      {"LceQuantize", &tfl_lce_quantize},
      {"LceDequantize", &tfl_lce_dequantize},
      {"LceBMaxPool2d", &tfl_lce_max_pool},
      {"LceBconv2d", &tfl_lce_conv},
  };
  const char* code = registration->custom_name;
  if (registration->builtin_code != BUILTIN_CUSTOM || !code) return NULL;
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
    if (strcmp(code, ops[i].code) == 0) return ops[i].op;
  }
  const size_t prefix = strlen(EDGEBIN_PREFIX);
  if (strncmp(code, EDGEBIN_PREFIX, prefix) == 0 && eb_leading_inputs(code + prefix) >= 0) return &tfl_edgebin_op;
  return NULL;
}

static void report(TfLiteContext* context, const tfl_call* call) {
  context->ReportError(context, "%s `%s`: %s", call->code, tfl_name(call), call->message);
}

static void* kernel_init(TfLiteContext* context, const char* buffer, size_t length) {
  (void)length;
  const TfLiteDelegateParams* params = (const TfLiteDelegateParams*)buffer;
  TfLiteNode* node;
  TfLiteRegistration* registration;
  tfl_kernel* kernel = calloc(1, sizeof *kernel);
  if (!kernel || params->nodes_to_replace->size != 1 ||
      context->GetNodeAndRegistration(context, params->nodes_to_replace->data[0], &node, &registration) != TFLITE_OK) {
    free(kernel);
    return NULL;
  }
  kernel->op = find_op(registration);
  kernel->call = (tfl_call){
      .context = context,
      .code = registration->custom_name,
      .options = node->custom_initial_data,
      .option_bytes = (size_t)node->custom_initial_data_size,
      .inputs = node->inputs->data,
      .input_count = (size_t)node->inputs->size,
      .outputs = node->outputs->data,
      .output_count = (size_t)node->outputs->size,
      .pool = ((tfl_delegate*)params->delegate)->pool,
  };
  kernel->self = kernel->op->create(&kernel->call);
  return kernel;
}

static void kernel_free(TfLiteContext* context, void* opaque) {
  (void)context;
  tfl_kernel* kernel = opaque;
  if (!kernel) return;
  if (kernel->self) kernel->op->destroy(kernel->self);
  free(kernel);
}

static TfLiteStatus kernel_prepare(TfLiteContext* context, TfLiteNode* node) {
  tfl_kernel* kernel = node->user_data;
  if (!kernel) return TFLITE_ERROR;
  kernel->call.context = context;
  if (kernel->self && kernel->op->prepare(kernel->self, &kernel->call)) return TFLITE_OK;
  report(context, &kernel->call);
  return TFLITE_ERROR;
}

/* Nodes are told to the observer here, each once, whatever kernels it calls. */
static TfLiteStatus kernel_invoke(TfLiteContext* context, TfLiteNode* node) {
  tfl_kernel* kernel = node->user_data;
  kernel->call.context = context;
  eb_tensor outputs[EB_MAX_OUTPUTS];
  size_t count = 0;
  for (; count < kernel->call.output_count && count < EB_MAX_OUTPUTS; count++) {
    const TfLiteTensor* output = tfl_output(&kernel->call, count);
    if (!output || !tfl_describe(output, 1, &outputs[count])) break; /* int8: it has no type for that */
  }
  const char* name = tfl_name(&kernel->call);
  eb_observe_run(name, outputs, count, 0);
  const int good = kernel->op->run(kernel->self, &kernel->call);
  eb_observe_run(name, outputs, count, 1);
  if (good) return TFLITE_OK;
  report(context, &kernel->call);
  return TFLITE_ERROR;
}

/* What TFLite's own profiler shows beside the delegate's name. */
static const char* kernel_code(const TfLiteContext* context, const TfLiteNode* node) {
  (void)context;
  return node->user_data ? ((const tfl_kernel*)node->user_data)->call.code : NULL;
}

static TfLiteStatus claim(TfLiteContext* context, TfLiteDelegate* delegate, int index) {
  TfLiteNode* node;
  TfLiteRegistration* registration;
  if (context->GetNodeAndRegistration(context, index, &node, &registration) != TFLITE_OK) return TFLITE_ERROR;
  if (!find_op(registration)) return TFLITE_OK;
  const TfLiteRegistration kernel = {
      .init = kernel_init,
      .free = kernel_free,
      .prepare = kernel_prepare,
      .invoke = kernel_invoke,
      .profiling_string = kernel_code,
      .custom_name = "edgebin",
      .version = 1,
  };
  union {
    TfLiteIntArray array;
    int words[2];
  } alone = {.words = {1, index}};
  return context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, &alone.array, delegate);
}

static TfLiteStatus delegate_prepare(TfLiteContext* context, TfLiteDelegate* interface) {
  tfl_delegate* delegate = (tfl_delegate*)interface;
  if (!delegate->pool) {
    delegate->pool = eb_pool_create(delegate->threads ? delegate->threads : context->recommended_num_threads);
    if (!delegate->pool) {
      context->ReportError(context, "edgebin: could not start threads");
      return TFLITE_ERROR;
    }
  }
  TfLiteIntArray* plan;
  if (context->GetExecutionPlan(context, &plan) != TFLITE_OK) return TFLITE_ERROR;
  /* The plan changes with each node that is replaced; indices of nodes stay. */
  const size_t bytes = sizeof *plan + (size_t)plan->size * sizeof *plan->data;
  TfLiteIntArray* nodes = malloc(bytes);
  if (!nodes) return TFLITE_ERROR;
  memcpy(nodes, plan, bytes);
  TfLiteStatus status = TFLITE_OK;
  for (int i = 0; i < nodes->size && status == TFLITE_OK; i++) status = claim(context, interface, nodes->data[i]);
  free(nodes);
  return status;
}

static int read_option(tfl_delegate* delegate, const char* key, const char* value) {
  if (strcmp(key, "num_threads") != 0) return 0;
  char* end;
  const long threads = strtol(value, &end, 10);
  if (*value == 0 || *end != 0 || threads < 0 || threads > 1024) return 0;
  delegate->threads = (int)threads;
  return 1;
}

API TfLiteDelegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count,
                                                  void (*report_error)(const char*)) {
  tfl_delegate* delegate = calloc(1, sizeof *delegate);
  if (!delegate) return NULL;
  delegate->interface.Prepare = delegate_prepare;
  delegate->interface.flags = TFLITE_DELEGATE_ALLOWS_DYNAMIC_TENSORS;
  for (size_t i = 0; i < count; i++) {
    if (read_option(delegate, keys[i], values[i])) continue;
    char message[EB_MESSAGE_BYTES];
    snprintf(message, sizeof message, "edgebin: no such option: `%s=%s`; there is `num_threads`, 0 to 1024", keys[i],
             values[i]);
    if (report_error) report_error(message);
    free(delegate);
    return NULL;
  }
  return &delegate->interface;
}

API void tflite_plugin_destroy_delegate(TfLiteDelegate* interface) {
  tfl_delegate* delegate = (tfl_delegate*)interface;
  if (!delegate) return;
  eb_pool_destroy(delegate->pool);
  free(delegate);
}
