/* Per-function calls and times by observing an engine, and marks for an emulator (marks.h). */
#ifndef EDGEBIN_RUNTIME_INSTRUMENT_H
#define EDGEBIN_RUNTIME_INSTRUMENT_H

#include "engine.h"

#define EB_MAX_NESTING 64

typedef struct {
  eb_functions* functions;
  int marks;
  int depth;
  struct {
    int function;
    int64_t begin_ns, nested_ns;
  } stack[EB_MAX_NESTING];
} eb_instrument;

/* From now on every function that the engine lets observe is counted in `instrument->functions`; with
 * `instrument->marks`, marked too. */
void eb_instrument_attach(eb_instrument* instrument, eb_engine* engine);

/* Runs the graph `runs` times, observed. Where `rest` is given, what no function took is reported under that name. */
void eb_instrument_time(eb_engine* engine, int64_t runs, eb_functions* functions, const char* rest);

#endif
