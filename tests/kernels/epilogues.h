/* Random epilogues, each a pair that shares its inputs and has outputs of its own: one for `scalar`, one for the path.
 */
#ifndef EDGEBIN_TESTS_EPILOGUES_H
#define EDGEBIN_TESTS_EPILOGUES_H

#include "values.h"

typedef struct {
  eb_epilogue reference, tested;
  size_t out_bytes, plane_bytes;
} epilogue_pair;

/* `style` 0: only out; 1: only one bit plane; 2: all stages; 3: all stages, pooled; above: by chance. */
static epilogue_pair random_epilogue(size_t m, size_t n, value_kind kind, int style) {
  const int all = style == 2 || style == 3, chance = style > 3;
#define PRESENT (all || (chance && random_below(2)))
  epilogue_pair pair = {0};
  eb_epilogue e = {0};
  if (PRESENT) e.scale = random_floats(n, kind);
  if (PRESENT) e.bias = random_floats(n, kind);
  const size_t residuals = all ? EB_MAX_RESIDUALS : chance ? random_below(EB_MAX_RESIDUALS + 1) : 0;
  for (size_t r = 0; r < residuals; r++) {
    size_t cols = 1 + random_below(n);
    while (n % cols) cols--;
    e.residual_cols[r] = r == 0 ? n : cols;
    e.residual[r] = random_floats(m * e.residual_cols[r], kind);
  }
  if (PRESENT) e.slope = random_floats(n, kind);
  if (PRESENT) e.offset = random_floats(n, kind);
  if (PRESENT) {
    e.gain = random_floats(n, kind);
    e.shift = random_floats(n, kind);
  }
  if (PRESENT) e.skip = random_floats(m * n, kind);
  if (style == 3 || (chance && random_below(3) == 0)) {
    e.pool = (size_t)2 << random_below(3);
    while (n % e.pool) e.pool /= 2;
  }
  const size_t planes = style == 1 ? 1 : all ? EB_MAX_BIT_PLANES : chance ? random_below(EB_MAX_BIT_PLANES + 1) : 0;
  for (size_t p = 0; p < planes; p++) e.threshold[p] = random_floats(n, kind);
#undef PRESENT
  pair.out_bytes =
      style == 1 || (chance && planes && random_below(3) == 0) ? 0 : m * n / (e.pool > 1 ? e.pool : 1) * sizeof(float);
  pair.plane_bytes = m * EB_BIT_ROW_BYTES(n);
  pair.reference = pair.tested = e;
  eb_epilogue* both[2] = {&pair.reference, &pair.tested};
  for (int side = 0; side < 2; side++) {
    if (pair.out_bytes) both[side]->out = guarded_alloc(pair.out_bytes, sizeof(float));
    for (size_t p = 0; p < planes; p++) both[side]->bits[p] = guarded_alloc(pair.plane_bytes, 1);
  }
  return pair;
}

static int epilogues_differ(const epilogue_pair* pair) {
  if (pair->out_bytes && memcmp(pair->reference.out, pair->tested.out, pair->out_bytes)) return 1;
  for (int p = 0; p < EB_MAX_BIT_PLANES && pair->reference.bits[p]; p++) {
    if (memcmp(pair->reference.bits[p], pair->tested.bits[p], pair->plane_bytes)) return 1;
  }
  return 0;
}

#endif
