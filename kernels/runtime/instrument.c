#include "instrument.h"

#include <string.h>

#include "fail.h"
#include "machine.h"
#include "marks.h"

/* The level of a function that begins. */
static int enter(eb_instrument* instrument, const char* name) {
  if (instrument->depth == EB_MAX_NESTING) eb_fail(EB_EXIT_UNFORESEEN, "functions nest too deeply");
  const int level = instrument->depth++;
  instrument->stack[level].function = eb_functions_find(instrument->functions, name, strlen(name));
  instrument->stack[level].nested_ns = 0;
  return level;
}

static void time_call(void* self, const char* name, const eb_tensor* outputs, size_t output_count, int after) {
  (void)outputs, (void)output_count;
  eb_instrument* instrument = self;
  const int64_t now = eb_now_ns();
  if (!after) {
    const int level = enter(instrument, name);
    instrument->stack[level].begin_ns = eb_now_ns();
  } else if (instrument->depth) {
    const int level = --instrument->depth;
    const int64_t spent_ns = now - instrument->stack[level].begin_ns;
    eb_function* function = &instrument->functions->items[instrument->stack[level].function];
    function->calls++;
    function->self_ns += spent_ns - instrument->stack[level].nested_ns;
    if (level) instrument->stack[level - 1].nested_ns += spent_ns;
  }
}

/* Marks the end before and the beginning after everything else, so that functions are not charged with it. */
static void mark_call(void* self, const char* name, const eb_tensor* outputs, size_t output_count, int after) {
  (void)outputs, (void)output_count;
  eb_instrument* instrument = self;
  if (!after) {
    const int level = enter(instrument, name);
    eb_mark(instrument->stack[level].function + 1);
  } else if (instrument->depth) {
    const int level = --instrument->depth;
    eb_mark(level ? instrument->stack[level - 1].function + 1 : EB_MARK_NONE);
    instrument->functions->items[instrument->stack[level].function].calls++;
  }
}

void eb_instrument_mark(eb_instrument* instrument, eb_engine* engine) {
  eb_engine_observe(engine, mark_call, instrument);
}

void eb_instrument_time(eb_engine* engine, int64_t runs, eb_functions* functions, const char* rest) {
  eb_instrument instrument = {.functions = functions};
  eb_engine_observe(engine, time_call, &instrument);
  const int64_t begin_ns = eb_now_ns();
  for (int64_t i = 0; i < runs; i++) eb_engine_run(engine, NULL);
  int64_t rest_ns = eb_now_ns() - begin_ns;
  eb_engine_observe(engine, NULL, NULL);
  if (!rest) return;
  for (int i = 0; i < functions->count; i++) rest_ns -= functions->items[i].self_ns;
  eb_function* own = &functions->items[eb_functions_find(functions, rest, strlen(rest))];
  own->calls += runs;
  own->self_ns += rest_ns;
}
