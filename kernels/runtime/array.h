/* Named dense arrays, the currency of the runner: read from .npy and .npz files, fed to the graph, compared, written.
 */
#ifndef EDGEBIN_RUNTIME_ARRAY_H
#define EDGEBIN_RUNTIME_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#define EB_MAX_DIMENSIONS 8
#define EB_MAX_ARRAYS 16
#define EB_MAX_NAME 128

typedef struct {
  const char* name;  /* as io.txt and numpy call it: "float32" */
  const char* descr; /* as .npy headers call it: "<f4" */
  char kind;         /* f, i or u */
  size_t item_bytes;
} eb_dtype;

/* NULL when the runner does not know the type. */
const eb_dtype* eb_dtype_by_name(const char* name);
const eb_dtype* eb_dtype_by_descr(const char* descr);

/* C order. `data` is 64-byte aligned. */
typedef struct {
  char name[EB_MAX_NAME];
  const eb_dtype* dtype;
  int dimensions;
  int64_t shape[EB_MAX_DIMENSIONS];
  void* data;
} eb_array;

typedef struct {
  int count;
  eb_array items[EB_MAX_ARRAYS];
} eb_arrays;

int64_t eb_array_elements(const eb_array* array);
size_t eb_array_bytes(const eb_array* array);

/* Bytes of one entry along the first axis. */
size_t eb_array_row_bytes(const eb_array* array);

/* An array like `model` but with `rows` along the first axis, zeroed. */
eb_array eb_array_with_rows(const eb_array* model, int64_t rows);

/* Element i as a double. Exact for all types but int64 beyond 2^53. */
double eb_array_value(const eb_array* array, int64_t index);

/* NULL when there is none of this name. */
const eb_array* eb_arrays_find(const eb_arrays* arrays, const char* name);

#endif
