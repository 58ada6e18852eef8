#include "functions.h"

#include <string.h>

#include "fail.h"
#include "json.h"

/* FNV-1a: a look-up has to cost little beside the smallest function, for it is charged to the runtime. */
static uint32_t hash_of(const char* name, size_t name_bytes) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < name_bytes; i++) hash = (hash ^ (uint8_t)name[i]) * 16777619u;
  return hash;
}

int eb_functions_find(eb_functions* functions, const char* name, size_t name_bytes) {
  uint32_t slot = hash_of(name, name_bytes);
  for (;; slot++) {
    const int entry = functions->slots[slot % EB_SLOTS];
    if (!entry) break;
    const char* known = functions->items[entry - 1].name;
    if (!strncmp(known, name, name_bytes) && !known[name_bytes]) return entry - 1;
  }
  if (functions->count == EB_MAX_FUNCTIONS) eb_fail(EB_EXIT_UNFORESEEN, "more than %d functions", EB_MAX_FUNCTIONS);
  eb_function* function = &functions->items[functions->count];
  function->name = eb_allocate(name_bytes + 1);
  memcpy(function->name, name, name_bytes);
  functions->slots[slot % EB_SLOTS] = ++functions->count;
  return functions->count - 1;
}

void eb_functions_report(const eb_functions* functions, int64_t runs) {
  eb_json_integer("functions_runs", runs);
  eb_json_open_list("functions");
  for (int i = 0; i < functions->count; i++) {
    eb_json_open_object(NULL);
    eb_json_string("name", functions->items[i].name);
    eb_json_integer("calls", functions->items[i].calls);
    eb_json_integer("self_ns", functions->items[i].self_ns);
    eb_json_close_object();
  }
  eb_json_close_list();
}
