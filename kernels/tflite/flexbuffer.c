/* Format: https://flatbuffers.dev/internals/, "FlexBuffers". The root lies at the end; offsets point backwards. */
#include "flexbuffer.h"

#include <string.h>

enum { TYPE_INT = 1, TYPE_UINT = 2, TYPE_FLOAT = 3, TYPE_STRING = 5, TYPE_INDIRECT_INT = 6, TYPE_INDIRECT_UINT = 7 };
enum { TYPE_INDIRECT_FLOAT = 8, TYPE_MAP = 9, TYPE_BOOL = 26 };

typedef struct {
  int type;
  size_t at, width; /* where a scalar lies and its bytes; for what lies elsewhere, the position that was pointed to */
} flex_value;

static int has(const eb_flex_map* map, size_t at, size_t bytes) { return at <= map->size && bytes <= map->size - at; }

/* `width` is 1, 2, 4 or 8 everywhere below. */
static int read_uint(const eb_flex_map* map, size_t at, size_t width, uint64_t* value) {
  if (!has(map, at, width)) return 0;
  *value = 0;
  for (size_t i = 0; i < width; i++) *value |= (uint64_t)map->data[at + i] << (8 * i);
  return 1;
}

/* Follows the offset at `at`. */
static int follow(const eb_flex_map* map, size_t at, size_t width, size_t* target) {
  uint64_t offset;
  if (!read_uint(map, at, width, &offset) || offset > at) return 0;
  *target = at - (size_t)offset;
  return 1;
}

/* The value at `at` within a container whose values take `width` bytes. */
static int describe(const eb_flex_map* map, size_t at, size_t width, uint8_t packed_type, flex_value* value) {
  value->type = packed_type >> 2;
  value->at = at;
  value->width = width;
  const int in_place = value->type <= TYPE_FLOAT || value->type == TYPE_BOOL;
  if (in_place) return has(map, at, width);
  value->width = (size_t)1 << (packed_type & 3);
  return follow(map, at, width, &value->at);
}

/* The number of elements of a vector, map or string, which stands before it. */
static int read_count(const eb_flex_map* map, size_t at, size_t width, size_t* count) {
  uint64_t stored;
  if (at < width || !read_uint(map, at - width, width, &stored) || stored > map->size) return 0;
  *count = (size_t)stored;
  return 1;
}

eb_flex_status eb_flex_open(eb_flex_map* map, const void* data, size_t size) {
  *map = (eb_flex_map){.data = data, .size = size};
  if (size < 3) return EB_FLEX_MALFORMED;
  const size_t root_width = map->data[size - 1];
  if (root_width != 1 && root_width != 2 && root_width != 4 && root_width != 8) return EB_FLEX_MALFORMED;
  if (size < 2 + root_width) return EB_FLEX_MALFORMED;
  flex_value root;
  if (!describe(map, size - 2 - root_width, root_width, map->data[size - 2], &root)) return EB_FLEX_MALFORMED;
  if (root.type != TYPE_MAP) return EB_FLEX_MALFORMED;
  map->values = root.at;
  map->width = root.width;
  uint64_t key_width, offset;
  if (!read_count(map, root.at, root.width, &map->count) || root.at < 3 * root.width) return EB_FLEX_MALFORMED;
  if (!read_uint(map, root.at - 2 * root.width, root.width, &key_width)) return EB_FLEX_MALFORMED;
  if (key_width != 1 && key_width != 2 && key_width != 4 && key_width != 8) return EB_FLEX_MALFORMED;
  map->key_width = (size_t)key_width;
  const size_t keys_at = root.at - 3 * root.width;
  if (!read_uint(map, keys_at, root.width, &offset) || offset > keys_at) return EB_FLEX_MALFORMED;
  map->keys = keys_at - (size_t)offset;
  /* count <= size, so none of these products overflows. */
  if (!has(map, map->values, map->count * (map->width + 1))) return EB_FLEX_MALFORMED;
  if (!has(map, map->keys, map->count * map->key_width)) return EB_FLEX_MALFORMED;
  return EB_FLEX_OK;
}

static eb_flex_status find(const eb_flex_map* map, const char* key, flex_value* value) {
  const size_t bytes = strlen(key) + 1;
  for (size_t i = 0; i < map->count; i++) {
    size_t name;
    if (!follow(map, map->keys + i * map->key_width, map->key_width, &name)) return EB_FLEX_MALFORMED;
    if (!has(map, name, bytes) || memcmp(map->data + name, key, bytes) != 0) continue;
    const uint8_t type = map->data[map->values + map->count * map->width + i];
    return describe(map, map->values + i * map->width, map->width, type, value) ? EB_FLEX_OK : EB_FLEX_MALFORMED;
  }
  return EB_FLEX_ABSENT;
}

static eb_flex_status read_float(const eb_flex_map* map, const flex_value* value, double* number) {
  uint64_t bits;
  if (!read_uint(map, value->at, value->width, &bits)) return EB_FLEX_MALFORMED;
  if (value->width == sizeof(double)) {
    memcpy(number, &bits, sizeof *number);
  } else if (value->width == sizeof(float)) {
    const uint32_t low = (uint32_t)bits;
    float single;
    memcpy(&single, &low, sizeof single);
    *number = single;
  } else {
    return EB_FLEX_MALFORMED;
  }
  return EB_FLEX_OK;
}

eb_flex_status eb_flex_int(const eb_flex_map* map, const char* key, int64_t* value) {
  flex_value found;
  const eb_flex_status status = find(map, key, &found);
  if (status != EB_FLEX_OK) return status;
  const int is_signed = found.type == TYPE_INT || found.type == TYPE_INDIRECT_INT;
  const int is_unsigned = found.type == TYPE_UINT || found.type == TYPE_INDIRECT_UINT || found.type == TYPE_BOOL;
  uint64_t bits;
  if ((!is_signed && !is_unsigned) || !read_uint(map, found.at, found.width, &bits)) return EB_FLEX_MALFORMED;
  if (is_unsigned && bits > INT64_MAX) return EB_FLEX_MALFORMED;
  const unsigned unused = 64 - 8 * (unsigned)found.width;
  *value = is_signed ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
  return EB_FLEX_OK;
}

eb_flex_status eb_flex_float(const eb_flex_map* map, const char* key, float* value) {
  flex_value found;
  const eb_flex_status status = find(map, key, &found);
  if (status != EB_FLEX_OK) return status;
  double number = 0;
  if (found.type == TYPE_FLOAT || found.type == TYPE_INDIRECT_FLOAT) {
    if (read_float(map, &found, &number) != EB_FLEX_OK) return EB_FLEX_MALFORMED;
  } else {
    int64_t whole;
    if (eb_flex_int(map, key, &whole) != EB_FLEX_OK) return EB_FLEX_MALFORMED;
    number = (double)whole;
  }
  *value = (float)number;
  return EB_FLEX_OK;
}

eb_flex_status eb_flex_text(const eb_flex_map* map, const char* key, const char** value) {
  flex_value found;
  const eb_flex_status status = find(map, key, &found);
  if (status != EB_FLEX_OK) return status;
  size_t length;
  if (found.type != TYPE_STRING || !read_count(map, found.at, found.width, &length)) return EB_FLEX_MALFORMED;
  if (!has(map, found.at, length + 1)) return EB_FLEX_MALFORMED;
  const char* text = (const char*)map->data + found.at;
  if (text[length] != 0 || memchr(text, 0, length)) return EB_FLEX_MALFORMED;
  *value = text;
  return EB_FLEX_OK;
}
