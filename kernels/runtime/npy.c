#include "npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6

/* The value after 'key': in the header's dictionary. */
static const char* header_value(const char* header, const char* key, const char* origin) {
  char quoted[32];
  snprintf(quoted, sizeof quoted, "'%s':", key);
  const char* found = strstr(header, quoted);
  if (!found) eb_fail(EB_EXIT_INPUT, "%s: .npy header lacks %s", origin, key);
  found += strlen(quoted);
  while (*found == ' ') found++;
  return found;
}

static void parse_shape(const char* text, eb_array* array, size_t available, const char* origin) {
  if (*text++ != '(') eb_fail(EB_EXIT_INPUT, "%s: damaged .npy shape", origin);
  const int64_t limit = (int64_t)(available / array->dtype->item_bytes);
  int64_t elements = 1;
  for (;;) {
    while (*text == ' ' || *text == ',') text++;
    if (*text == ')') break;
    char* end;
    long long size = strtoll(text, &end, 10);
    if (end == text || size < 0 || array->dimensions == EB_MAX_DIMENSIONS) {
      eb_fail(EB_EXIT_INPUT, "%s: damaged .npy shape", origin);
    }
    if (size && elements > limit / size) eb_fail(EB_EXIT_INPUT, "%s is truncated", origin);
    elements *= size;
    array->shape[array->dimensions++] = size;
    text = end;
  }
}

eb_array eb_npy_parse(const uint8_t* content, size_t bytes, const char* name, const char* origin) {
  if (bytes < 10 || memcmp(content, MAGIC, MAGIC_BYTES)) eb_fail(EB_EXIT_INPUT, "%s is not .npy content", origin);
  const int major = content[MAGIC_BYTES];
  const size_t start = major == 1 ? 10 : 12;
  if (major < 1 || major > 3 || bytes < start) eb_fail(EB_EXIT_INPUT, "%s: unknown .npy version", origin);
  size_t length = content[8] | (size_t)content[9] << 8;
  if (major > 1) length |= (size_t)content[10] << 16 | (size_t)content[11] << 24;
  if (length > bytes - start) eb_fail(EB_EXIT_INPUT, "%s is truncated", origin);

  char* header = eb_allocate(length + 1);
  memcpy(header, content + start, length);
  eb_array array = {.dimensions = 0};
  if (strlen(name) >= EB_MAX_NAME) eb_fail(EB_EXIT_INPUT, "%s: array name is too long", origin);
  strcpy(array.name, name);

  const char* descr = header_value(header, "descr", origin);
  char type[8] = "";
  if (sscanf(descr, "'%7[^']'", type) != 1 || !(array.dtype = eb_dtype_by_descr(type))) {
    eb_fail(EB_EXIT_INPUT, "%s: array `%s` has type %.16s, which the runner does not know", origin, name, descr);
  }
  if (strncmp(header_value(header, "fortran_order", origin), "False", 5)) {
    eb_fail(EB_EXIT_INPUT, "%s: array `%s` is in Fortran order", origin, name);
  }
  const size_t available = bytes - start - length;
  parse_shape(header_value(header, "shape", origin), &array, available, origin);
  free(header);

  const size_t wanted = eb_array_bytes(&array);
  if (wanted > available) eb_fail(EB_EXIT_INPUT, "%s is truncated", origin);
  array.data = eb_allocate_aligned(wanted);
  memcpy(array.data, content + start + length, wanted);
  return array;
}

size_t eb_npy_header(const eb_array* array, char header[EB_NPY_HEADER_BYTES]) {
  char shape[EB_MAX_DIMENSIONS * 22] = "";
  size_t used = 0;
  for (int i = 0; i < array->dimensions; i++) {
    used += (size_t)snprintf(shape + used, sizeof shape - used, "%lld, ", (long long)array->shape[i]);
  }
  const size_t start = 10;
  memset(header, ' ', EB_NPY_HEADER_BYTES);
  size_t length =
      start + (size_t)snprintf(header + start, EB_NPY_HEADER_BYTES - start,
                               "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", array->dtype->descr, shape);
  header[length] = ' ';
  const size_t total = (length + 1 + 63) / 64 * 64;
  header[total - 1] = '\n';
  memcpy(header, MAGIC "\x01\x00", 8);
  header[8] = (char)((total - start) & 0xff);
  header[9] = (char)((total - start) >> 8);
  return total;
}
