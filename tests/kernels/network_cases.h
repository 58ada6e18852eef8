/* Binary products with the epilogues that networks have: kernels have code of its own for some of them. */
#ifndef EDGEBIN_TESTS_NETWORK_CASES_H
#define EDGEBIN_TESTS_NETWORK_CASES_H

#include "b1_gemm_case.h"

typedef struct {
  int residual_divisor, activation, gain, skip, out, bits; /* residual_divisor 0: no residual; out: its pool, or 0 */
} network_stages;

static epilogue_pair network_epilogue(size_t m, size_t n, const network_stages* s) {
  eb_epilogue e = {.scale = random_floats(n, FRACTIONS), .bias = random_floats(n, FRACTIONS), .pool = (size_t)s->out};
  if (s->residual_divisor) {
    e.residual_cols[0] = n / (size_t)s->residual_divisor;
    e.residual[0] = random_floats(m * e.residual_cols[0], FRACTIONS);
  }
  if (s->activation) e.slope = random_floats(n, FRACTIONS), e.offset = random_floats(n, FRACTIONS);
  if (s->gain) e.gain = random_floats(n, FRACTIONS), e.shift = random_floats(n, FRACTIONS);
  if (s->skip) e.skip = random_floats(m * n, FRACTIONS);
  if (s->bits) e.threshold[0] = random_floats(n, FRACTIONS);
  epilogue_pair pair = {.reference = e, .tested = e, .plane_bytes = m * EB_BIT_ROW_BYTES(n)};
  if (s->out) pair.out_bytes = m * n / (size_t)s->out * sizeof(float);
  eb_epilogue* both[2] = {&pair.reference, &pair.tested};
  for (int side = 0; side < 2; side++) {
    if (s->out) both[side]->out = guarded_alloc(pair.out_bytes, sizeof(float));
    if (s->bits) both[side]->bits[0] = guarded_alloc(pair.plane_bytes, 1);
  }
  return pair;
}

static int test_b1_gemm_networks(const variant* v) {
  static const network_stages kStages[] = {
      {0, 0, 0, 0, 1, 0}, {1, 0, 0, 0, 1, 0}, {0, 0, 0, 0, 0, 1}, {1, 1, 0, 0, 1, 1}, {1, 1, 0, 1, 1, 0},
      {1, 1, 1, 1, 1, 0}, {2, 1, 0, 1, 1, 0}, {4, 1, 0, 0, 4, 1}, {8, 1, 0, 0, 8, 1},
  };
  static const size_t kNetworkCols[] = {64, 128, 192, 320}, kNetworkDepths[] = {64, 65, 144, 192, 256, 288, 384, 2048};
  int failures = 0;
  for (uint64_t seed = 0; seed < 90; seed++) {
    random_state = seed;
    const network_stages* s = &kStages[seed % COUNT(kStages)];
    const size_t m = 4 + random_below(9), n = PICK(kNetworkCols), k = PICK(kNetworkDepths);
    const epilogue_pair pair = network_epilogue(m, n, s);
    const b1_product p = random_product(m, n, k, random_below(4) == 0);
    char what[96];
    snprintf(what, sizeof(what), "network m %zu n %zu k %zu stages %d", m, n, k, (int)(seed % COUNT(kStages)));
    failures += finish_case(what, seed, b1_gemm_differs(v, &p, &pair));
  }
  return failures;
}

#endif
