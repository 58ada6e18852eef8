/* A `.tflite` model in LiteRT, with the bundle's delegate of custom ops.
 *
 * LiteRT takes TFLite delegates as accelerators. Ours is one for the CPU, beside the built-in one, which is XNNPACK:
 * accelerators apply in the order in which they are registered, so XNNPACK takes the nodes that it knows and ours takes
 * the custom ops between them. The number of threads reaches XNNPACK, TFLite's own kernels and, through TFLite's
 * context, ours by LiteRT's options for the CPU. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "fail.h"
#include "instrument.h"
#include "library.h"
#include "litert_abi.h"

#define LIBRARY "lib/libLiteRt.so"
#define CUSTOM_OPS "libedgebin_tflite.so"
#define OWN_WORK "(LiteRT)"
#define CPU_OPTIONS "xnnpack" /* LrtGetCpuOptionsIdentifier */
#define SIGNATURE 0           /* edgebin's files have one; LiteRT makes one up where a file has none */

const char eb_engine_model[] = "model.tflite";

typedef struct {
#define LITERT(result, name, arguments) result(*name) arguments;
  LITERT_FUNCTIONS
#undef LITERT
} litert_api;

typedef struct {
  litert_api api;
  void* (*create_delegate)(char** keys, char** values, size_t count, void (*report)(const char*));
  void (*destroy_delegate)(void*);
  void (*observe)(edgebin_observer*, void* self);
  litert_handle compiled;
  size_t input_count, output_count;
  litert_handle inputs[EB_MAX_ARRAYS], outputs[EB_MAX_ARRAYS]; /* buffers over engine->inputs and `results` */
  int output_index[EB_MAX_ARRAYS];                             /* of the graph's output in the spec */
  eb_array results[EB_MAX_ARRAYS];
} litert_state;

/* LiteRT asks an accelerator for its delegate without saying for whom; a runner has one engine. */
static const litert_state* the_state;

static void check(int status, const char* what) {
  if (status != LITERT_OK) eb_fail(EB_EXIT_UNFORESEEN, "%s failed in LiteRT with status %d", what, status);
}

static void load_libraries(litert_state* litert, const eb_engine_options* options) {
  void* runtime = eb_library_open(options->beside_program(LIBRARY));
#define LITERT(result, name, arguments) \
  litert->api.name = (result(*) arguments)eb_library_symbol(runtime, #name, LIBRARY);
  LITERT_FUNCTIONS
#undef LITERT
  const char* plugin = options->beside_program(CUSTOM_OPS);
  if (access(plugin, F_OK) != 0) return; /* a model without custom ops */
  void* ours = eb_library_open(plugin);
  litert->create_delegate = (void* (*)(char**, char**, size_t, void (*)(const char*)))eb_library_symbol(
      ours, "tflite_plugin_create_delegate", CUSTOM_OPS);
  litert->destroy_delegate = (void (*)(void*))eb_library_symbol(ours, "tflite_plugin_destroy_delegate", CUSTOM_OPS);
  litert->observe = (void (*)(edgebin_observer*, void*))eb_library_symbol(ours, "edgebin_observe", CUSTOM_OPS);
}

static int accelerator_name(litert_handle accelerator, const char** name) {
  (void)accelerator;
  *name = "edgebin";
  return LITERT_OK;
}

static int accelerator_version(litert_handle accelerator, LiteRtApiVersion* version) {
  (void)accelerator;
  *version = (LiteRtApiVersion){1, 0, 0};
  return LITERT_OK;
}

static int accelerator_hardware(litert_handle accelerator, int* hardware) {
  (void)accelerator;
  *hardware = LITERT_CPU;
  return LITERT_OK;
}

static int accelerator_compiles(litert_handle accelerator, bool* compiles) {
  (void)accelerator;
  *compiles = true;
  return LITERT_OK;
}

static int accelerator_delegate(litert_handle runtime, litert_handle environment, litert_handle accelerator,
                                litert_handle options, litert_handle* wrapper) {
  (void)runtime, (void)environment, (void)accelerator, (void)options;
  void* delegate = the_state->create_delegate(NULL, NULL, 0, NULL);
  if (!delegate) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  return the_state->api.LiteRtWrapDelegate(delegate, the_state->destroy_delegate, wrapper);
}

static void register_accelerator(const litert_api* api, litert_handle environment) {
  litert_handle ours;
  check(api->LiteRtCreateAccelerator(&ours), "making an accelerator");
  check(api->LiteRtSetAcceleratorGetName(ours, accelerator_name), "making an accelerator");
  check(api->LiteRtSetAcceleratorGetVersion(ours, accelerator_version), "making an accelerator");
  check(api->LiteRtSetAcceleratorGetHardwareSupport(ours, accelerator_hardware), "making an accelerator");
  check(api->LiteRtSetDelegateFunction(ours, accelerator_delegate), "making an accelerator");
  check(api->LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation(ours, accelerator_compiles),
        "making an accelerator");
  check(api->LiteRtRegisterAccelerator(environment, ours, NULL, NULL), "registering an accelerator");
}

static litert_handle cpu_options(const litert_api* api, int threads) {
  litert_handle options, cpu;
  char* text = eb_allocate(64);
  snprintf(text, 64, "num_threads = %d\n", threads);
  check(api->LiteRtCreateOptions(&options), "options");
  check(api->LiteRtSetOptionsHardwareAccelerators(options, LITERT_CPU), "options");
  check(api->LiteRtCreateOpaqueOptions(CPU_OPTIONS, text, free, &cpu), "options for the CPU");
  check(api->LiteRtAddOpaqueOptions(options, cpu), "options for the CPU");
  return options;
}

static int element_type(const eb_dtype* dtype) {
  static const struct {
    const char* name;
    int type;
  } types[] = {{"float32", LITERT_FLOAT32}, {"float64", LITERT_FLOAT64}, {"int8", LITERT_INT8},
               {"int32", LITERT_INT32},     {"int64", LITERT_INT64},     {"uint8", LITERT_UINT8}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (strcmp(types[i].name, dtype->name) == 0) return types[i].type;
  }
  return 0;
}

/* A buffer over the array's memory; ends the program if the graph's tensor is not what the spec says. */
static litert_handle wrap(const litert_api* api, litert_handle tensor, const eb_array* array) {
  LiteRtRankedTensorType type;
  litert_handle buffer;
  check(api->LiteRtGetRankedTensorType(tensor, &type), array->name);
  int same = type.element_type == element_type(array->dtype) && type.layout.rank == (unsigned)array->dimensions;
  for (int d = 0; same && d < array->dimensions; d++) same = type.layout.dimensions[d] == array->shape[d];
  if (!same) eb_fail(EB_EXIT_INPUT, "`%s` of the model is not what io.txt says", array->name);
  check(api->LiteRtCreateTensorBufferFromHostMemory(&type, array->data, eb_array_bytes(array), NULL, &buffer),
        array->name);
  return buffer;
}

static int index_of(const eb_arrays* arrays, const char* name) {
  for (int i = 0; i < arrays->count; i++) {
    if (strcmp(arrays->items[i].name, name) == 0) return i;
  }
  eb_fail(EB_EXIT_INPUT, "io.txt does not know `%s` of the model", name);
}

static void bind_arrays(litert_state* litert, eb_engine* engine, litert_handle model) {
  const litert_api* api = &litert->api;
  const eb_spec* spec = engine->spec;
  litert_handle signature, tensor;
  const char* name;
  check(api->LiteRtGetModelSignature(model, SIGNATURE, &signature), "the model's signature");
  check(api->LiteRtGetNumSignatureInputs(signature, &litert->input_count), "the model's inputs");
  check(api->LiteRtGetNumSignatureOutputs(signature, &litert->output_count), "the model's outputs");
  if (litert->input_count != (size_t)spec->inputs.count || litert->output_count != (size_t)spec->outputs.count) {
    eb_fail(EB_EXIT_INPUT, "the model has not as many inputs and outputs as io.txt says");
  }
  for (size_t i = 0; i < litert->input_count; i++) {
    check(api->LiteRtGetSignatureInputName(signature, i, &name), "an input's name");
    check(api->LiteRtGetSignatureInputTensorByIndex(signature, i, &tensor), name);
    const int at = index_of(&spec->inputs, name);
    engine->inputs[at] = eb_array_with_rows(&spec->inputs.items[at], spec->batch);
    litert->inputs[i] = wrap(api, tensor, &engine->inputs[at]);
  }
  for (size_t i = 0; i < litert->output_count; i++) {
    check(api->LiteRtGetSignatureOutputName(signature, i, &name), "an output's name");
    check(api->LiteRtGetSignatureOutputTensorByIndex(signature, i, &tensor), name);
    litert->output_index[i] = index_of(&spec->outputs, name);
    litert->results[i] = eb_array_with_rows(&spec->outputs.items[litert->output_index[i]], spec->batch);
    litert->outputs[i] = wrap(api, tensor, &litert->results[i]);
  }
}

void eb_engine_load(eb_engine* engine, const eb_spec* spec, const eb_engine_options* options) {
  litert_state* litert = engine->state = eb_allocate(sizeof *litert);
  const litert_api* api = &litert->api;
  the_state = litert;
  engine->spec = spec;
  load_libraries(litert, options);
  const LiteRtEnvOption quiet[] = {
      {LITERT_AUTO_REGISTER, {LITERT_ANY_INT, {.int_value = LITERT_CPU}}},
      {LITERT_MIN_LOG_SEVERITY, {LITERT_ANY_INT, {.int_value = LITERT_LOG_ERRORS}}},
  };
  litert_handle environment, model;
  check(api->LiteRtCreateEnvironment(2, quiet, &environment), "starting");
  if (litert->create_delegate) register_accelerator(api, environment);
  check(api->LiteRtCreateModelFromFile(environment, options->model, &model), "reading the model");
  check(api->LiteRtCreateCompiledModel(environment, model, cpu_options(api, options->threads), &litert->compiled),
        "loading the model");
  bind_arrays(litert, engine, model);
}

void eb_engine_run(eb_engine* engine, eb_arrays* outputs) {
  litert_state* litert = engine->state;
  check(litert->api.LiteRtRunCompiledModel(litert->compiled, SIGNATURE, litert->input_count, litert->inputs,
                                           litert->output_count, litert->outputs),
        "running the model");
  for (size_t i = 0; outputs && i < litert->output_count; i++) {
    eb_array* output = &outputs->items[litert->output_index[i]];
    memcpy(output->data, litert->results[i].data, eb_array_bytes(output));
  }
}

void eb_engine_observe(eb_engine* engine, edgebin_observer* observer, void* self) {
  const litert_state* litert = engine->state;
  if (litert->observe) litert->observe(observer, self);
}

void eb_engine_time(eb_engine* engine, int64_t runs, eb_functions* functions) {
  eb_instrument_time(engine, runs, functions, OWN_WORK);
}
