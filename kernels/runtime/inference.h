/* Whole inputs through the graph, batch by batch. */
#ifndef EDGEBIN_RUNTIME_INFERENCE_H
#define EDGEBIN_RUNTIME_INFERENCE_H

#include "engine.h"

/* Copies rows begin .. begin + batch - 1 of `inputs` into the engine's memory; rows past the end become zero. */
void eb_load_batch(eb_engine* engine, const eb_arrays* inputs, int64_t begin);

/* Runs the loaded batch once and returns how long that took. With `marks`, marks begin and end for an emulator. */
int64_t eb_run_batch_ns(eb_engine* engine, eb_arrays* outputs, int marks);

/* Runs all rows. The last batch is padded with zero rows, and their results are dropped. */
eb_arrays eb_run_all(eb_engine* engine, const eb_arrays* inputs, int64_t rows, int marks);

typedef struct {
  int passed;
  double max_abs_diff;       /* infinite where one side is NaN and the other is not */
  int64_t rows, same_argmax; /* rows along the last axis, and in how many the largest element is the same one */
} eb_comparison;

/* |actual - expected| <= atol + rtol * |expected| for every element. */
eb_comparison eb_compare(const eb_array* actual, const eb_array* expected, double atol, double rtol);

#endif
