#include "inference.h"

#include <math.h>
#include <string.h>

#include "machine.h"
#include "marks.h"

void eb_load_batch(eb_engine* engine, const eb_arrays* inputs, int64_t begin) {
  for (int i = 0; i < engine->spec->inputs.count; i++) {
    eb_array* buffer = &engine->inputs[i];
    const eb_array* input = eb_arrays_find(inputs, buffer->name);
    const size_t row_bytes = eb_array_row_bytes(buffer);
    const int64_t left = input->shape[0] - begin;
    const int64_t rows = left < engine->spec->batch ? left : engine->spec->batch;
    const size_t filled = (size_t)rows * row_bytes;
    memcpy(buffer->data, (const char*)input->data + (size_t)begin * row_bytes, filled);
    memset((char*)buffer->data + filled, 0, eb_array_bytes(buffer) - filled);
  }
}

int64_t eb_run_batch_ns(eb_engine* engine, eb_arrays* outputs, int marks) {
  if (marks) eb_mark(EB_MARK_INFERENCE_BEGIN);
  const int64_t begin_ns = eb_now_ns();
  eb_engine_run(engine, outputs);
  const int64_t spent_ns = eb_now_ns() - begin_ns;
  if (marks) eb_mark(EB_MARK_INFERENCE_END);
  return spent_ns;
}

eb_arrays eb_run_all(eb_engine* engine, const eb_arrays* inputs, int64_t rows, int marks) {
  const eb_spec* spec = engine->spec;
  eb_arrays all = spec->outputs, one = spec->outputs;
  for (int i = 0; i < spec->outputs.count; i++) {
    all.items[i] = eb_array_with_rows(&spec->outputs.items[i], rows);
    one.items[i] = eb_array_with_rows(&spec->outputs.items[i], spec->batch);
  }
  for (int64_t begin = 0; begin < rows; begin += spec->batch) {
    eb_load_batch(engine, inputs, begin);
    eb_run_batch_ns(engine, &one, marks);
    const int64_t count = rows - begin < spec->batch ? rows - begin : spec->batch;
    for (int i = 0; i < all.count; i++) {
      const size_t row_bytes = eb_array_row_bytes(&all.items[i]);
      memcpy((char*)all.items[i].data + (size_t)begin * row_bytes, one.items[i].data, (size_t)count * row_bytes);
    }
  }
  return all;
}

eb_comparison eb_compare(const eb_array* actual, const eb_array* expected, double atol, double rtol) {
  eb_comparison result = {.passed = 1};
  const int64_t columns = expected->shape[expected->dimensions - 1];
  const int64_t elements = eb_array_elements(expected);
  int64_t best_actual = 0, best_expected = 0;
  for (int64_t i = 0; i < elements; i++) {
    const double a = eb_array_value(actual, i), e = eb_array_value(expected, i);
    const int both_nan = isnan(a) && isnan(e);
    const double difference = both_nan || a == e ? 0 : isnan(a - e) ? INFINITY : fabs(a - e);
    if (difference > result.max_abs_diff) result.max_abs_diff = difference;
    if (difference > atol + rtol * (isfinite(e) ? fabs(e) : 0)) result.passed = 0;
    const int64_t column = i % columns;
    if (!column) best_actual = best_expected = i;
    if (a > eb_array_value(actual, best_actual)) best_actual = i;
    if (e > eb_array_value(expected, best_expected)) best_expected = i;
    if (column == columns - 1) {
      result.rows++;
      result.same_argmax += best_actual == best_expected;
    }
  }
  return result;
}
