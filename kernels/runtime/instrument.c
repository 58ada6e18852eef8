#include "instrument.h"

#include <string.h>

#include "fail.h"
#include "machine.h"
#include "marks.h"

static void on_call(void* self, const char* name, const eb_tensor* outputs, size_t output_count, int after) {
  (void)outputs, (void)output_count;
  eb_instrument* instrument = self;
  const int64_t now = eb_now_ns();
  if (!after) {
    if (instrument->depth == EB_MAX_NESTING) eb_fail(EB_EXIT_UNFORESEEN, "functions nest too deeply");
    const int function = eb_functions_find(instrument->functions, name, strlen(name));
    const int level = instrument->depth++;
    instrument->stack[level].function = function;
    instrument->stack[level].nested_ns = 0;
    if (instrument->marks) eb_mark(function + 1);
    instrument->stack[level].begin_ns = eb_now_ns();
  } else if (instrument->depth) {
    const int level = --instrument->depth;
    const int64_t spent_ns = now - instrument->stack[level].begin_ns;
    eb_function* function = &instrument->functions->items[instrument->stack[level].function];
    function->calls++;
    function->self_ns += spent_ns - instrument->stack[level].nested_ns;
    if (level) instrument->stack[level - 1].nested_ns += spent_ns;
    if (instrument->marks) eb_mark(level ? instrument->stack[level - 1].function + 1 : EB_MARK_NONE);
  }
}

void eb_instrument_attach(eb_instrument* instrument, eb_engine* engine) {
  eb_engine_observe(engine, on_call, instrument);
}

void eb_instrument_time(eb_engine* engine, int64_t runs, eb_functions* functions, const char* rest) {
  eb_instrument instrument = {.functions = functions};
  eb_instrument_attach(&instrument, engine);
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
