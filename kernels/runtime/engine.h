/* What runs a graph: TVM's virtual machine (engine_tvm.c), onnxruntime (engine_ort.c) or LiteRT (engine_litert.c). A
 * runner is linked with exactly one of them. Whatever fails ends the program with a message (fail.h). */
#ifndef EDGEBIN_RUNTIME_ENGINE_H
#define EDGEBIN_RUNTIME_ENGINE_H

#include "../dispatch/dispatch.h"
#include "functions.h"
#include "spec.h"

/* A loaded graph. `inputs` are the spec's, with memory for one batch that may belong to the engine: fill it, then run.
 * `state` is the engine's own. */
typedef struct {
  const eb_spec* spec;
  eb_array inputs[EB_MAX_ARRAYS];
  void* state;
} eb_engine;

typedef struct {
  const char* model; /* the file of the graph */
  char* (*beside_program)(
      const char* name); /* a file of the bundle, such as "lib/libLiteRt.so"; memory of the caller */
  int threads;           /* with 1, everything runs in the calling thread */
} eb_engine_options;

/* What the bundle calls the file of the graph. */
extern const char eb_engine_model[];

/* Loads the graph and its weights. `engine` and `spec` must stay where they are. */
void eb_engine_load(eb_engine* engine, const eb_spec* spec, const eb_engine_options* options);

/* Runs the graph once on what lies in engine->inputs. With `outputs` (arrays of the spec's outputs, with memory) copies
 * the results there; a result of another type or shape ends the program. */
void eb_engine_run(eb_engine* engine, eb_arrays* outputs);

/* Calls `observer` before and after each function of the graph that can be observed: all of TVM's, our nodes of the
 * other runtimes, for which this is `edgebin_observe` of the bundle's library. `outputs` matter after it only. NULL
 * ends that. */
void eb_engine_observe(eb_engine* engine, edgebin_observer* observer, void* self);

/* Runs the graph `runs` times and adds up calls and times of its functions, of the runtime's own too where it tells.
 * For `--per-op`; an engine without a profiler of its own calls eb_instrument_time. */
void eb_engine_time(eb_engine* engine, int64_t runs, eb_functions* functions);

#endif
