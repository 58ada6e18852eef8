#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

static void parse_array(char* text, eb_arrays* arrays, int64_t batch, const char* path) {
  if (arrays->count == EB_MAX_ARRAYS) eb_fail(EB_EXIT_INPUT, "%s: too many arrays", path);
  eb_array* array = &arrays->items[arrays->count++];
  char* rest = NULL;
  const char* name = strtok_r(text, " ", &rest);
  const char* dtype = strtok_r(NULL, " ", &rest);
  if (!name || !dtype || strlen(name) >= EB_MAX_NAME || !(array->dtype = eb_dtype_by_name(dtype))) {
    eb_fail(EB_EXIT_INPUT, "%s: unusable array line", path);
  }
  strcpy(array->name, name);
  for (const char* size; (size = strtok_r(NULL, " ", &rest));) {
    if (array->dimensions == EB_MAX_DIMENSIONS) eb_fail(EB_EXIT_INPUT, "%s: too many dimensions", path);
    const int64_t value = strtoll(size, NULL, 10);
    if (value < 1) eb_fail(EB_EXIT_INPUT, "%s: unusable shape", path);
    array->shape[array->dimensions++] = value;
  }
  if (!array->dimensions || array->shape[0] != batch) {
    eb_fail(EB_EXIT_INPUT, "%s: the first axis of `%s` is not the batch", path, array->name);
  }
}

eb_spec eb_spec_read(const char* path) {
  FILE* stream = fopen(path, "r");
  if (!stream) eb_fail(EB_EXIT_INPUT, "cannot read %s", path);
  eb_spec spec = {.batch = 0};
  char line[1024];
  if (!fgets(line, sizeof line, stream) || strcmp(line, "edgebin-io 1\n")) {
    eb_fail(EB_EXIT_INPUT, "%s is not an edgebin-io file of version 1", path);
  }
  while (fgets(line, sizeof line, stream)) {
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "batch %lld", (long long*)&spec.batch) == 1) continue;
    if (sscanf(line, "tolerance %lf %lf", &spec.atol, &spec.rtol) == 2) continue;
    if (!strncmp(line, "input ", 6)) {
      parse_array(line + 6, &spec.inputs, spec.batch, path);
    } else if (!strncmp(line, "output ", 7)) {
      parse_array(line + 7, &spec.outputs, spec.batch, path);
    } else {
      eb_fail(EB_EXIT_INPUT, "%s: unknown line `%s`", path, line);
    }
  }
  fclose(stream);
  if (spec.batch < 1 || !spec.inputs.count || !spec.outputs.count) eb_fail(EB_EXIT_INPUT, "%s is incomplete", path);
  return spec;
}

int64_t eb_spec_check(const eb_arrays* wanted, const eb_arrays* arrays, const char* path) {
  int64_t rows = 0;
  for (int i = 0; i < wanted->count; i++) {
    const eb_array* want = &wanted->items[i];
    const eb_array* have = eb_arrays_find(arrays, want->name);
    if (!have) eb_fail(EB_EXIT_INPUT, "%s has no array `%s`", path, want->name);
    if (have->dtype != want->dtype) {
      eb_fail(EB_EXIT_INPUT, "%s: `%s` is %s, the model has %s", path, want->name, have->dtype->name,
              want->dtype->name);
    }
    int same = have->dimensions == want->dimensions;
    for (int d = 1; same && d < want->dimensions; d++) same = have->shape[d] == want->shape[d];
    if (!same || have->shape[0] < 1) eb_fail(EB_EXIT_INPUT, "%s: `%s` has the wrong shape", path, want->name);
    if (i && have->shape[0] != rows) eb_fail(EB_EXIT_INPUT, "%s: arrays differ in their number of rows", path);
    rows = have->shape[0];
  }
  return rows;
}
