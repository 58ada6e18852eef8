/* What the graph takes and gives: the bundle's io.txt, which edgebin/bundle/io_text.py writes from the manifest.
 *
 *   edgebin-io 1
 *   batch 8
 *   tolerance 1e-05 0.0001                     absolute, relative
 *   input pixel_values float32 8 3 32 32       name, type, shape; the first axis is the batch
 *   output logits float32 8 10
 */
#ifndef EDGEBIN_RUNTIME_SPEC_H
#define EDGEBIN_RUNTIME_SPEC_H

#include "array.h"

typedef struct {
  int64_t batch;
  double atol, rtol;
  eb_arrays inputs, outputs; /* without data */
} eb_spec;

eb_spec eb_spec_read(const char* path);

/* Ends the program unless `arrays` has what `wanted` asks for: every name, its type and its shape but for the first
 * axis, and the same number of rows in each, at least one. Returns that number. */
int64_t eb_spec_check(const eb_arrays* wanted, const eb_arrays* arrays, const char* path);

#endif
