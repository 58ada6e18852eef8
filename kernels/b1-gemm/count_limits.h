/* Bits from counts without floats.
 *
 * Where nothing but parameters of a column stands between a count and its bit, and the slope is not negative, every
 * step of the epilogue is monotone, rounding included: so the bit changes at one count at most. Its value at count 0
 * and the last count that has this value say all, and 16 columns take three instructions instead of twenty. Binary
 * search finds that count by the epilogue's own formula.
 */
#ifndef EDGEBIN_B1_GEMM_COUNT_LIMITS_H
#define EDGEBIN_B1_GEMM_COUNT_LIMITS_H

#include <string.h>

#include "edgebin.h"

#define LIMIT_WORTH_ROWS 8        /* fewer do not pay for the search */
#define LIMIT_MAGNITUDE 0x1p30f /* of parameters: no step can overflow, |acc| < 2^22 */

EB_INLINE int all_moderate(const float* p, size_t n, float least) {
  int moderate = 1;
  for (size_t j = 0; p && j < n; j++) moderate &= p[j] >= least && p[j] <= LIMIT_MAGNITUDE;
  return moderate;
}

/* Whether the bits of an epilogue that stores nothing else have limits. */
static int has_limits(const eb_epilogue* e, size_t n) {
  return e->threshold[0] && !e->out && !e->residual[0] && !e->skip && all_moderate(e->scale, n, -LIMIT_MAGNITUDE) &&
         all_moderate(e->bias, n, -LIMIT_MAGNITUDE) && all_moderate(e->slope, n, 0.0f) &&
         all_moderate(e->offset, n, -LIMIT_MAGNITUDE) && all_moderate(e->gain, n, -LIMIT_MAGNITUDE) &&
         all_moderate(e->shift, n, -LIMIT_MAGNITUDE);
}

/* What belongs to the columns of a strip; a stage that is missing leaves values as they are. */
typedef struct {
  vf scale[EB_STRIP_VECTORS], bias[EB_STRIP_VECTORS], slope[EB_STRIP_VECTORS], offset[EB_STRIP_VECTORS];
  vf gain[EB_STRIP_VECTORS], shift[EB_STRIP_VECTORS], threshold[EB_STRIP_VECTORS];
} column_stages;

EB_INLINE void load_stage(vf* v, const float* p, size_t col, size_t count, float otherwise) {
  if (p) {
    eb_load_cols(v, p + col, count);
  } else {
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_set1(otherwise);
  }
}

/* The bit that the epilogue gives to an accumulator. */
EB_INLINE uint32x4_t bit_of(const column_stages* c, int i, vf acc, const int affine) {
  vf v = vf_fma(acc, c->scale[i], c->bias[i]);
  if (!affine) v = vf_fma(vf_add(vf_leaky(v, c->slope[i]), c->offset[i]), c->gain[i], c->shift[i]);
  return vcltq_f32(v, c->threshold[i]);
}

/* The counts that are possible, and the accumulator k - step * count. */
typedef struct {
  float k, step;
  uint32_t most;
} count_range;

/* Columns col .. col+count-1 of a strip: the last count, at most `most`, that has the bit of count 0; those bits. */
EB_INLINE uint16_t limits_of_strip(const eb_epilogue* e, int plane, size_t col, size_t count, count_range range,
                                   const int affine, uint32_t* limit) {
  column_stages c;
  load_stage(c.scale, e->scale, col, count, 1.0f);
  load_stage(c.bias, e->bias, col, count, 0.0f);
  load_stage(c.slope, e->slope, col, count, 1.0f);
  load_stage(c.offset, e->offset, col, count, 0.0f);
  load_stage(c.gain, e->gain, col, count, 1.0f);
  load_stage(c.shift, e->shift, col, count, 0.0f);
  load_stage(c.threshold, e->threshold[plane], col, count, 0.0f);
  vf last[EB_STRIP_VECTORS]; /* the accumulator of the last count that is known to have the bit */
  uint32x4_t first_bit[EB_STRIP_VECTORS];
#define EACH EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++)
  EACH {
    last[i] = vf_set1(range.k);
    first_bit[i] = bit_of(&c, i, last[i], affine);
  }
  float jump = range.step;
  while (2.0f * jump <= range.step * (float)range.most) jump *= 2.0f;
  for (; jump >= range.step; jump *= 0.5f) {
    EACH {
      const vf next = vf_sub(last[i], vf_set1(jump));
      last[i] = vbslq_f32(veorq_u32(bit_of(&c, i, next, affine), first_bit[i]), last[i], next);
    }
  }
  EACH {
    const uint32x4_t counts = vcvtq_u32_f32(vf_mul(vf_sub(vf_set1(range.k), last[i]), vf_set1(1.0f / range.step)));
    vst1q_u32(limit + VF_LANES * i, vminq_u32(counts, vdupq_n_u32(range.most)));
  }
  uint16_t bits = 0;
  EACH bits |= (uint16_t)(vaddvq_u32(vandq_u32(first_bit[i], (uint32x4_t){1, 2, 4, 8})) << (VF_LANES * i));
#undef EACH
  return bits;
}

EB_NOINLINE uint16_t limits_of_affine(const eb_epilogue* e, int plane, size_t col, count_range range, uint32_t* limit) {
  return limits_of_strip(e, plane, col, EB_STRIP_COLS, range, 1, limit);
}

EB_NOINLINE uint16_t limits_of_any(const eb_epilogue* e, int plane, size_t col, size_t count, count_range range,
                                   uint32_t* limit) {
  return limits_of_strip(e, plane, col, count, range, 0, limit);
}

/* Columns col .. col+n-1: limit[n rounded up to 64], first[n rounded up to 64 / 64], one bit per column. No count is
 * above the limits past n, and their bits are 0. */
static void find_limits(const eb_epilogue* e, int plane, size_t col, size_t n, count_range range, uint32_t* limit,
                        uint64_t* first) {
  const int affine = !e->slope && !e->offset && !e->gain;
  memset(first, 0, EB_CEIL_DIV(n, 64) * sizeof(*first));
  for (size_t j = 0; j < n; j += EB_STRIP_COLS) {
    const size_t count = EB_MIN(EB_STRIP_COLS, n - j);
    const uint64_t bits = affine && count == EB_STRIP_COLS ? limits_of_affine(e, plane, col + j, range, limit + j)
                                                           : limits_of_any(e, plane, col + j, count, range, limit + j);
    first[j / 64] |= (bits & ((1u << count) - 1)) << (j % 64);
  }
  for (size_t j = n; j % 64; j++) limit[j] = range.most;
}

#endif
