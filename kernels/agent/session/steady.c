#include "steady.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double kSteadyChange = 0.02;

static int ascending(const void* a, const void* b) {
  const int64_t left = *(const int64_t*)a, right = *(const int64_t*)b;
  return (left > right) - (left < right);
}

double eb_median(const int64_t* values, int count) {
  int64_t sorted[EB_STEADY_SAMPLES];
  memcpy(sorted, values, (size_t)count * sizeof *values);
  qsort(sorted, (size_t)count, sizeof *sorted, ascending);
  return ((double)sorted[(count - 1) / 2] + (double)sorted[count / 2]) / 2;
}

int eb_is_steady(const int64_t samples_ns[EB_STEADY_SAMPLES]) {
  const int half = EB_STEADY_SAMPLES / 2;
  const double before = eb_median(samples_ns, half), last = eb_median(samples_ns + half, half);
  return fabs(last - before) < kSteadyChange * before;
}
