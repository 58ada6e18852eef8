/* A delegate that writes down what it reads of a graph through kernels/tflite/abi.h, line by line, into the file of its
 * option `output`, and takes the custom ops over with a kernel that does nothing but write, too. */
#include "../../kernels/tflite/abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))

static FILE* output;
static char kernel_self;

static void write_ints(const char* label, const TfLiteIntArray* array) {
  fprintf(output, " %s=", label);
  for (int i = 0; array && i < array->size; i++) fprintf(output, "%s%d", i ? "," : "", array->data[i]);
}

static void* kernel_init(TfLiteContext* context, const char* buffer, size_t length) {
  const TfLiteDelegateParams* params = (const TfLiteDelegateParams*)buffer;
  TfLiteNode* node;
  TfLiteRegistration* registration;
  const TfLiteStatus status =
      context->GetNodeAndRegistration(context, params->nodes_to_replace->data[0], &node, &registration);
  fprintf(output, "init length=%zu status=%d replaces=%s output=%s\n", length, status, registration->custom_name,
          context->tensors[params->output_tensors->data[0]].name);
  return &kernel_self;
}

static void kernel_free(TfLiteContext* context, void* self) {
  (void)context;
  fprintf(output, "free self=%d\n", self == &kernel_self);
  fflush(output);
}

static TfLiteStatus kernel_prepare(TfLiteContext* context, TfLiteNode* node) {
  TfLiteTensor* y = &context->tensors[node->outputs->data[0]];
  TfLiteIntArray* shape = malloc(sizeof *shape + 2 * sizeof(int));
  shape->size = 2;
  shape->data[0] = 1;
  shape->data[1] = 3;
  const TfLiteStatus status = context->ResizeTensor(context, y, shape);
  fprintf(output, "prepare self=%d ours=%d status=%d bytes=%zu\n", node->user_data == &kernel_self,
          node->delegate == y->delegate && node->delegate != NULL, status, y->bytes);
  return status;
}

static TfLiteStatus kernel_invoke(TfLiteContext* context, TfLiteNode* node) {
  TfLiteTensor* y = &context->tensors[node->outputs->data[0]];
  for (int i = 0; i < 3; i++) ((float*)y->data)[i] = (float)i;
  fprintf(output, "invoke\n");
  return TFLITE_OK;
}

static void write_tensor(const TfLiteTensor* t) {
  fprintf(output, "tensor name=%s type=%d allocation=%d bytes=%zu scale=%g zero_point=%d variable=%d quantization=%d",
          t->name, t->type, t->allocation_type, t->bytes, (double)t->params.scale, t->params.zero_point, t->is_variable,
          t->quantization.type);
  write_ints("dims", t->dims);
  write_ints("signature", t->dims_signature);
  if (t->allocation_type == TFLITE_MMAP_RO) fprintf(output, " first=%d", *(const signed char*)t->data);
  fprintf(output, "\n");
}

static TfLiteStatus prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  fprintf(output, "context threads=%d\n", context->recommended_num_threads);
  TfLiteIntArray* plan;
  if (context->GetExecutionPlan(context, &plan) != TFLITE_OK) return TFLITE_ERROR;
  for (size_t i = 0; i < context->tensors_size; i++) {
    if (context->tensors[i].name) write_tensor(&context->tensors[i]);
  }
  for (int i = 0; i < plan->size; i++) {
    TfLiteNode* node;
    TfLiteRegistration* registration;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration) != TFLITE_OK) return TFLITE_ERROR;
    fprintf(output, "node code=%d name=%s version=%d options=%.*s", registration->builtin_code,
            registration->custom_name ? registration->custom_name : "", registration->version,
            node->custom_initial_data_size, (const char*)node->custom_initial_data);
    write_ints("inputs", node->inputs);
    write_ints("outputs", node->outputs);
    fprintf(output, " undelegated=%d\n", node->delegate == NULL);
    if (!registration->custom_name || strcmp(registration->custom_name, "Probe") != 0) continue;
    const TfLiteRegistration kernel = {.init = kernel_init,
                                       .free = kernel_free,
                                       .prepare = kernel_prepare,
                                       .invoke = kernel_invoke,
                                       .custom_name = "probe",
                                       .version = 1};
    TfLiteIntArray* alone = malloc(sizeof *alone + sizeof(int));
    alone->size = 1;
    alone->data[0] = plan->data[i];
    const TfLiteStatus status = context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, alone, delegate);
    free(alone);
    if (status != TFLITE_OK) return status;
  }
  fflush(output);
  return TFLITE_OK;
}

API TfLiteDelegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count,
                                                  void (*report)(const char*)) {
  if (count != 1 || strcmp(keys[0], "output") != 0 || !(output = fopen(values[0], "w"))) {
    report("give `output`");
    return NULL;
  }
  TfLiteDelegate* delegate = calloc(1, sizeof *delegate);
  delegate->Prepare = prepare;
  delegate->flags = TFLITE_DELEGATE_ALLOWS_DYNAMIC_TENSORS;
  return delegate;
}

API void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) {
  fclose(output);
  free(delegate);
}
