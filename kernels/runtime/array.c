#include "array.h"

#include <string.h>

#include "fail.h"

static const eb_dtype kDtypes[] = {
    {"float32", "<f4", 'f', 4}, {"float64", "<f8", 'f', 8}, {"int8", "|i1", 'i', 1},
    {"int32", "<i4", 'i', 4},   {"int64", "<i8", 'i', 8},   {"uint8", "|u1", 'u', 1},
};
#define DTYPE_COUNT (sizeof kDtypes / sizeof kDtypes[0])

const eb_dtype* eb_dtype_by_name(const char* name) {
  for (size_t i = 0; i < DTYPE_COUNT; i++) {
    if (!strcmp(kDtypes[i].name, name)) return &kDtypes[i];
  }
  return NULL;
}

const eb_dtype* eb_dtype_by_descr(const char* descr) {
  for (size_t i = 0; i < DTYPE_COUNT; i++) {
    if (!strcmp(kDtypes[i].descr, descr)) return &kDtypes[i];
  }
  return NULL;
}

int64_t eb_array_elements(const eb_array* array) {
  int64_t elements = 1;
  for (int i = 0; i < array->dimensions; i++) elements *= array->shape[i];
  return elements;
}

size_t eb_array_bytes(const eb_array* array) { return (size_t)eb_array_elements(array) * array->dtype->item_bytes; }

size_t eb_array_row_bytes(const eb_array* array) {
  size_t bytes = array->dtype->item_bytes;
  for (int i = 1; i < array->dimensions; i++) bytes *= (size_t)array->shape[i];
  return bytes;
}

eb_array eb_array_with_rows(const eb_array* model, int64_t rows) {
  eb_array array = *model;
  array.shape[0] = rows;
  array.data = eb_allocate_aligned(eb_array_bytes(&array));
  return array;
}

double eb_array_value(const eb_array* array, int64_t index) {
  const char* item = (const char*)array->data + (size_t)index * array->dtype->item_bytes;
  const char kind = array->dtype->kind;
  switch (array->dtype->item_bytes) {
    case 1:
      return kind == 'u' ? *(const uint8_t*)item : *(const int8_t*)item;
    case 4:
      return kind == 'f' ? *(const float*)item : *(const int32_t*)item;
    default:
      return kind == 'f' ? *(const double*)item : (double)*(const int64_t*)item;
  }
}

const eb_array* eb_arrays_find(const eb_arrays* arrays, const char* name) {
  for (int i = 0; i < arrays->count; i++) {
    if (!strcmp(arrays->items[i].name, name)) return &arrays->items[i];
  }
  return NULL;
}
