#define _GNU_SOURCE
#include "engine_ort_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define NODE_SUFFIX "_kernel_time"

/* Undoes JSON's backslashes in place; `text` begins after the opening quote. Returns the length, -1 where no quote
 * closes it. */
static int64_t unescape(char* text) {
  int64_t length = 0;
  for (const char* at = text; *at; at++) {
    if (*at == '"') return length;
    if (*at == '\\' && at[1]) at++;
    text[length++] = *at;
  }
  return -1;
}

/* The time of a line's event and its name, which is cut out of `line`; 0 where there is none. */
static int event(char* line, char** name, int64_t* name_bytes, int64_t* spent_ns) {
  static const char kDuration[] = "\"dur\" :", kName[] = "\"name\" :\"";
  const char* duration = strstr(line, kDuration);
  char* found = strstr(line, kName);
  if (!duration || !found) return 0;
  *spent_ns = strtoll(duration + sizeof kDuration - 1, NULL, 10) * 1000;
  *name = found + sizeof kName - 1;
  *name_bytes = unescape(*name);
  return *name_bytes >= 0;
}

static void add(eb_functions* functions, const char* name, size_t name_bytes, int64_t spent_ns) {
  eb_function* function = &functions->items[eb_functions_find(functions, name, name_bytes)];
  function->calls++;
  function->self_ns += spent_ns;
}

void eb_ort_profile_read(const char* path, int64_t skip, eb_functions* functions) {
  FILE* stream = fopen(path, "r");
  if (!stream) eb_fail(EB_EXIT_UNFORESEEN, "onnxruntime left no profile in %s", path);
  char* line = NULL;
  size_t room = 0;
  int64_t nodes_ns = 0;
  while (getline(&line, &room, stream) > 0) {
    char* name;
    int64_t bytes, spent_ns;
    const int is_node = strstr(line, "\"cat\" : \"Node\"") != NULL;
    if (!event(line, &name, &bytes, &spent_ns)) continue;
    const int64_t node_bytes = bytes - (int64_t)strlen(NODE_SUFFIX);
    if (is_node && node_bytes > 0 && !strncmp(name + node_bytes, NODE_SUFFIX, strlen(NODE_SUFFIX))) {
      if (skip > 0) continue;
      add(functions, name, (size_t)node_bytes, spent_ns);
      nodes_ns += spent_ns;
    } else if (bytes == (int64_t)strlen("model_run") && !strncmp(name, "model_run", (size_t)bytes)) {
      if (skip-- <= 0) add(functions, EB_ORT_OWN_WORK, strlen(EB_ORT_OWN_WORK), spent_ns - nodes_ns);
      nodes_ns = 0;
    }
  }
  free(line);
  fclose(stream);
}
