#include "instrument.h"

#include <string.h>

#include "fail.h"
#include "machine.h"
#include "marks.h"

/* FNV-1a: a look-up has to cost little beside the smallest function, for it is charged to the virtual machine. */
static uint32_t hash_of(TVMFFIByteArray name) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < name.size; i++) hash = (hash ^ (uint8_t)name.data[i]) * 16777619u;
  return hash;
}

static int find(eb_instrument* instrument, TVMFFIByteArray name) {
  uint32_t slot = hash_of(name);
  for (;; slot++) {
    int* entry = &instrument->slots[slot % EB_SLOTS];
    if (!*entry) break;
    const char* known = instrument->functions[*entry - 1].name;
    if (!strncmp(known, name.data, name.size) && !known[name.size]) return *entry - 1;
  }
  if (instrument->count == EB_MAX_FUNCTIONS) eb_fail(EB_EXIT_UNFORESEEN, "more than %d functions", EB_MAX_FUNCTIONS);
  eb_function* function = &instrument->functions[instrument->count];
  function->name = eb_allocate(name.size + 1);
  memcpy(function->name, name.data, name.size);
  instrument->slots[slot % EB_SLOTS] = ++instrument->count;
  return instrument->count - 1;
}

static int on_call(void* self, const TVMFFIAny* arguments, int32_t count, TVMFFIAny* result) {
  eb_instrument* instrument = self;
  const int64_t now = eb_now_ns();
  result->type_index = kTVMFFINone;
  if (count < 3) return 0;
  if (arguments[2].v_int64) {
    if (instrument->depth == EB_MAX_NESTING) eb_fail(EB_EXIT_UNFORESEEN, "functions nest too deeply");
    const int function = find(instrument, eb_vm_text(&arguments[1]));
    const int level = instrument->depth++;
    instrument->stack[level].function = function;
    instrument->stack[level].nested_ns = 0;
    if (instrument->marks) eb_mark(function + 1);
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
