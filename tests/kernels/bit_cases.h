/* Binary products of which only bits are stored: kernels may compare counts instead of floats. */
#ifndef EDGEBIN_TESTS_BIT_CASES_H
#define EDGEBIN_TESTS_BIT_CASES_H

#include "../../kernels/epilogue/scalar.h"
#include "b1_gemm_case.h"

static float* parameters(size_t n, float least, float most) {
  float* p = guarded_alloc(n * sizeof(float), sizeof(float));
  for (size_t j = 0; j < n; j++) p[j] = least + (most - least) * ((float)random_below(1 << 20) * 0x1p-20f);
  return p;
}

/* Parameters of a column only, no slope below 0. Half of the thresholds are values that some count gives. */
static epilogue_pair random_bit_epilogue(size_t m, size_t n, size_t k, size_t planes, float wild) {
  epilogue_pair pair = {.plane_bytes = m * EB_BIT_ROW_BYTES(n)};
  eb_epilogue e = {0};
  if (random_below(4)) e.scale = parameters(n, -0.3f, 0.3f);
  if (random_below(4)) e.bias = parameters(n, -2.0f, 2.0f);
  if (random_below(2)) {
    float* slope = parameters(n, 0.0f, 2.0f); /* 0 times an overflow is no number */
    for (size_t j = 0; j < n; j += 3) slope[j] = 0.0f;
    e.slope = slope;
  }
  if (random_below(2)) e.offset = parameters(n, -1.0f, 1.0f);
  if (random_below(2)) {
    e.gain = parameters(n, -1.5f, 1.5f);
    e.shift = parameters(n, -1.0f, 1.0f);
  }
  const float* const changed[] = {e.scale, e.bias, e.slope, e.offset, e.gain, e.shift};
  float* some = (float*)(uintptr_t)changed[random_below(COUNT(changed))];
  for (size_t j = 0; some && wild != 0.0f && j < n; j++) {
    if (random_below(2)) some[j] = wild;
  }
  for (size_t p = 0; p < planes; p++) {
    float* threshold = parameters(n, -3.0f, 3.0f);
    for (size_t j = 0; j < n; j += 2) {
      threshold[j] = eb_epilogue_value(&e, n, 0, j, (float)k - 2.0f * (float)random_below(k + 1));
    }
    e.threshold[p] = threshold;
  }
  pair.reference = pair.tested = e;
  for (size_t p = 0; p < planes; p++) {
    pair.reference.bits[p] = guarded_alloc(pair.plane_bytes, 1);
    pair.tested.bits[p] = guarded_alloc(pair.plane_bytes, 1);
  }
  return pair;
}

static int test_b1_gemm_limits(const variant* v) {
  /* overflow on the way, products that are no number, values that no count crosses */
  static const float kWild[] = {0.0f, 0.0f, 0.0f, 1e9f, -1e9f, 1e38f, -1e38f, INFINITY, -INFINITY, NAN, -1.0f};
  int failures = 0;
  for (uint64_t seed = 0; seed < 300; seed++) {
    random_state = seed;
    const int wide = seed % 50 == 0; /* more columns than a kernel may know limits of at once */
    /* some kernels take the trouble for 16 rows and more only */
    const size_t m = 8 + random_below(28), n = wide ? 2048 + random_below(100) : PICK(kCols), k = PICK(kDepths);
    const epilogue_pair pair = random_bit_epilogue(m, n, k, 1 + random_below(EB_MAX_BIT_PLANES), PICK(kWild));
    const b1_product p = random_product(m, n, k, random_below(3) == 0);
    char what[96];
    snprintf(what, sizeof(what), "bits of m %zu n %zu k %zu planes %d", m, n, k, p.a2 ? 2 : 1);
    failures += finish_case(what, seed, b1_gemm_differs(v, &p, &pair));
  }
  return failures;
}

#endif
