/* Per-function calls and times by observing an engine, or marks for an emulator (marks.h). */
#ifndef EDGEBIN_RUNTIME_INSTRUMENT_H
#define EDGEBIN_RUNTIME_INSTRUMENT_H

#include "engine.h"

#define EB_MAX_NESTING 64

typedef struct {
  eb_functions* functions;
  int depth;
  struct {
    int function;
    int64_t begin_ns, nested_ns;
  } stack[EB_MAX_NESTING];
} eb_instrument;

/* From now on calls of every function that the engine lets observe are counted in `instrument->functions` and marked.
 * Looking at functions takes instructions of its own, outside of their marks. */
void eb_instrument_mark(eb_instrument* instrument, eb_engine* engine);

/* Runs the graph `runs` times, observed. Where `rest` is given, what no function took is reported under that name. */
void eb_instrument_time(eb_engine* engine, int64_t runs, eb_functions* functions, const char* rest);

#endif
