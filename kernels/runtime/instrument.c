#include "instrument.h"

#include <string.h>

#include "fail.h"
#include "machine.h"
#include "marks.h"

/* Calls come in the same order in each run, so the function after the last one is tried first. */
static int find(eb_instrument* instrument, TVMFFIByteArray name, int guess) {
  for (int tried = 0; tried < instrument->count; tried++) {
    const int i = (guess + tried) % instrument->count;
    const char* known = instrument->functions[i].name;
    if (!strncmp(known, name.data, name.size) && !known[name.size]) return i;
  }
  if (instrument->count == EB_MAX_FUNCTIONS) eb_fail(EB_EXIT_UNFORESEEN, "more than %d functions", EB_MAX_FUNCTIONS);
  eb_function* function = &instrument->functions[instrument->count];
  function->name = eb_allocate(name.size + 1);
  memcpy(function->name, name.data, name.size);
  return instrument->count++;
}

static int on_call(void* self, const TVMFFIAny* arguments, int32_t count, TVMFFIAny* result) {
  eb_instrument* instrument = self;
  const int64_t now = eb_now_ns();
  result->type_index = kTVMFFINone;
  if (count < 3) return 0;
  static int last = -1;
  if (arguments[2].v_int64) {
    if (instrument->depth == EB_MAX_NESTING) eb_fail(EB_EXIT_UNFORESEEN, "functions nest too deeply");
    last = find(instrument, eb_vm_text(&arguments[1]), last + 1);
    const int level = instrument->depth++;
    instrument->stack[level].function = last;
    instrument->stack[level].nested_ns = 0;
    if (instrument->marks) eb_mark(last + 1);
    instrument->stack[level].begin_ns = eb_now_ns();
  } else if (instrument->depth) {
    const int level = --instrument->depth;
    const int64_t spent_ns = now - instrument->stack[level].begin_ns;
    eb_function* function = &instrument->functions[instrument->stack[level].function];
    function->calls++;
    function->self_ns += spent_ns - instrument->stack[level].nested_ns;
    if (level) instrument->stack[level - 1].nested_ns += spent_ns;
    if (instrument->marks) eb_mark(level ? instrument->stack[level - 1].function + 1 : EB_MARK_NONE);
  }
  return 0;
}

void eb_instrument_attach(eb_instrument* instrument, eb_vm* vm, int marks) {
  instrument->marks = marks;
  eb_vm_set_instrument(vm, on_call, instrument);
}
