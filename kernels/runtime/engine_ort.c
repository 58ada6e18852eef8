/* A model in onnxruntime, with the bundle's library of custom ops. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ort/abi.h"
#include "engine.h"
#include "engine_ort_profile.h"
#include "fail.h"
#include "library.h"

#define LIBRARY "lib/libonnxruntime.so.1"
#define CUSTOM_OPS "libedgebin_ort.so"

const char eb_engine_model[] = "model.onnx";

typedef struct {
  const OrtApi* api;
  const OrtApiBase* base;
  OrtEnv* env;
  OrtSession* session;
  const OrtValue* inputs[EB_MAX_ARRAYS]; /* over engine->inputs */
  const char *input_names[EB_MAX_ARRAYS], *output_names[EB_MAX_ARRAYS];
  OrtStatus* (*register_custom_ops)(OrtSessionOptions*, const OrtApiBase*);
  void (*observe)(edgebin_observer*, void* self);
  const char* model;
  int threads;
} ort_state;

static void check(const OrtApi* api, OrtStatus* status, const char* what) {
  if (status) eb_fail(EB_EXIT_UNFORESEEN, "%s: %s", what, api->GetErrorMessage(status));
}

/* `profile` is how the file of the profile begins, or NULL. */
static OrtSession* new_session(const ort_state* ort, const char* profile) {
  OrtSessionOptions* options;
  OrtSession* session;
  check(ort->api, ort->api->CreateSessionOptions(&options), "options");
  check(ort->api, ort->api->SetIntraOpNumThreads(options, ort->threads), "threads");
  check(ort->api, ort->register_custom_ops(options, ort->base), CUSTOM_OPS);
  if (profile) check(ort->api, ort->api->EnableProfiling(options, profile), "profiling");
  check(ort->api, ort->api->CreateSession(ort->env, ort->model, options, &session), "loading the model");
  return session;
}

static int element_type(const eb_dtype* dtype) {
  switch (dtype->item_bytes) {
    case 1:
      return dtype->kind == 'u' ? ORT_TENSOR_UINT8 : ORT_TENSOR_INT8;
    case 4:
      return dtype->kind == 'f' ? ORT_TENSOR_FLOAT : ORT_TENSOR_INT32;
    default:
      return dtype->kind == 'f' ? ORT_TENSOR_DOUBLE : ORT_TENSOR_INT64;
  }
}

static const OrtValue* input_value(const OrtApi* api, const eb_array* buffer) {
  OrtMemoryInfo* memory;
  OrtValue* value = NULL;
  check(api, api->CreateCpuMemoryInfo(ORT_ARENA_ALLOCATOR, ORT_MEMORY_DEFAULT, &memory), "memory");
  check(api,
        api->CreateTensorWithDataAsOrtValue(memory, buffer->data, eb_array_bytes(buffer), buffer->shape,
                                            (size_t)buffer->dimensions, element_type(buffer->dtype), &value),
        "wrapping an input");
  return value;
}

void eb_engine_load(eb_engine* engine, const eb_spec* spec, const eb_engine_options* options) {
  setenv("ORT_DISABLE_TELEMETRY", "1", 1); /* onnxruntime uploads usage data unless this is set before it starts */
  ort_state* ort = engine->state = eb_allocate(sizeof *ort);
  engine->spec = spec;
  ort->model = options->model;
  ort->threads = options->threads;

  void* runtime = eb_library_open(options->beside_program(LIBRARY));
  const OrtApiBase* (*get_base)(void) =
      (const OrtApiBase* (*)(void))eb_library_symbol(runtime, "OrtGetApiBase", LIBRARY);
  ort->base = get_base();
  ort->api = ort->base->GetApi(ORT_ABI_VERSION);
  if (!ort->api) eb_fail(EB_EXIT_UNFORESEEN, LIBRARY " is too old: it lacks API version %d", ORT_ABI_VERSION);
  void* ours = eb_library_open(options->beside_program(CUSTOM_OPS));
  ort->register_custom_ops =
      (OrtStatus * (*)(OrtSessionOptions*, const OrtApiBase*)) eb_library_symbol(ours, "RegisterCustomOps", CUSTOM_OPS);
  ort->observe = (void (*)(edgebin_observer*, void*))eb_library_symbol(ours, "edgebin_observe", CUSTOM_OPS);

  check(ort->api, ort->api->CreateEnv(ORT_LOGGING_WARNING, "edgebin", &ort->env), "environment");
  ort->session = new_session(ort, NULL);
  for (int i = 0; i < spec->inputs.count; i++) {
    engine->inputs[i] = eb_array_with_rows(&spec->inputs.items[i], spec->batch);
    ort->inputs[i] = input_value(ort->api, &engine->inputs[i]);
    ort->input_names[i] = engine->inputs[i].name;
  }
  for (int i = 0; i < spec->outputs.count; i++) ort->output_names[i] = spec->outputs.items[i].name;
}

static void copy_output(const OrtApi* api, OrtValue* value, eb_array* output) {
  OrtShapeInfo* info;
  int type;
  size_t rank;
  int64_t dims[EB_MAX_DIMENSIONS];
  void* data;
  check(api, api->GetTensorTypeAndShape(value, &info), output->name);
  check(api, api->GetTensorElementType(info, &type), output->name);
  check(api, api->GetDimensionsCount(info, &rank), output->name);
  int same = type == element_type(output->dtype) && rank == (size_t)output->dimensions;
  if (same) check(api, api->GetDimensions(info, dims, rank), output->name);
  for (size_t d = 0; same && d < rank; d++) same = dims[d] == output->shape[d];
  if (!same) eb_fail(EB_EXIT_INPUT, "output `%s` is not what io.txt says", output->name);
  api->ReleaseTensorTypeAndShapeInfo(info);
  check(api, api->GetTensorMutableData(value, &data), output->name);
  memcpy(output->data, data, eb_array_bytes(output));
}

static void run(const ort_state* ort, OrtSession* session, const eb_spec* spec, eb_arrays* outputs) {
  OrtValue* values[EB_MAX_ARRAYS] = {0};
  check(ort->api,
        ort->api->Run(session, NULL, ort->input_names, ort->inputs, (size_t)spec->inputs.count, ort->output_names,
                      (size_t)spec->outputs.count, values),
        "running the model");
  for (int i = 0; i < spec->outputs.count; i++) {
    if (outputs) copy_output(ort->api, values[i], &outputs->items[i]);
    ort->api->ReleaseValue(values[i]);
  }
}

void eb_engine_run(eb_engine* engine, eb_arrays* outputs) {
  const ort_state* ort = engine->state;
  run(ort, ort->session, engine->spec, outputs);
}

void eb_engine_observe(eb_engine* engine, edgebin_observer* observer, void* self) {
  const ort_state* ort = engine->state;
  ort->observe(observer, self);
}

/* onnxruntime's own profiler, in a session of its own: it knows the nodes that are not ours too. */
void eb_engine_time(eb_engine* engine, int64_t runs, eb_functions* functions) {
  const ort_state* ort = engine->state;
  const char* parent = getenv("TMPDIR");
  char folder[512], prefix[sizeof folder + 8];
  snprintf(folder, sizeof folder, "%s/edgebin-XXXXXX", parent && *parent ? parent : "/tmp");
  if (!mkdtemp(folder)) eb_fail(EB_EXIT_UNFORESEEN, "cannot make a folder like %s for onnxruntime's profile", folder);
  snprintf(prefix, sizeof prefix, "%s/nodes", folder);
  OrtSession* session = new_session(ort, prefix);
  for (int64_t i = 0; i < 1 + runs; i++) run(ort, session, engine->spec, NULL);
  OrtAllocator* allocator;
  char* file;
  check(ort->api, ort->api->GetAllocatorWithDefaultOptions(&allocator), "allocator");
  check(ort->api, ort->api->SessionEndProfiling(session, allocator, &file), "profiling");
  eb_ort_profile_read(file, 1, functions);
  remove(file);
  rmdir(folder);
  ort->api->ReleaseSession(session);
}
