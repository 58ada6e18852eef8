/* Bits straight from popcounts on NEON: an epilogue that makes only bits is a comparison of integers.
 *
 * Without residual and skip, v of edgebin.h is a chain of monotone functions of the accumulator, rounding included, so
 * per column there is at most one popcount from which on bit = v < threshold is not what it is at 0. It is found once
 * per call, by bisection with the very formula that other epilogues use; then a tile needs CMHS instead of UADDW, FSUB,
 * FMLA, FCMGT.
 *
 * This holds for finite parameters and slopes that do not turn negative values round. MAX_PARAMETER keeps every step
 * finite, so that no NaN arises; eb_has_limits says whether a call is of that kind.
 *
 * Include after neon_counts.h. */
#ifndef EDGEBIN_EPILOGUE_NEON_LIMITS_H
#define EDGEBIN_EPILOGUE_NEON_LIMITS_H

#include "neon_counts.h"

#define EB_LIMIT_COLS 1024
#define MAX_PARAMETER 0x1p40f

/* bit = (count >= limit) ^ flip; flip is the bit of count 0 */
typedef struct {
  uint16_t limit[EB_LIMIT_COLS];
  uint8_t flip[EB_LIMIT_COLS / 8];
} eb_count_limits;

EB_INLINE int eb_all_within(const float* p, size_t n, float least) {
  int ok = 1;
  for (size_t j = 0; p && j < n; j++) ok &= p[j] >= least && p[j] <= MAX_PARAMETER;
  return ok;
}

/* One plane of bits and nothing else, from columns that have limits. */
static int eb_has_limits(const eb_epilogue* e, size_t n) {
  return e->threshold[0] && !e->threshold[1] && !e->out && !e->residual[0] && !e->skip &&
         eb_all_within(e->scale, n, -MAX_PARAMETER) && eb_all_within(e->bias, n, -MAX_PARAMETER) &&
         eb_all_within(e->slope, n, 0.0f) && eb_all_within(e->offset, n, -MAX_PARAMETER) &&
         eb_all_within(e->gain, n, -MAX_PARAMETER) && eb_all_within(e->shift, n, -MAX_PARAMETER);
}

/* What belongs to 16 columns. A stage that is missing leaves values as they are. */
typedef struct {
  vf scale[4], bias[4], slope[4], offset[4], gain[4], shift[4], threshold[4];
} eb_limit_columns;

EB_INLINE void eb_load_stage(vf v[4], const float* p, size_t at, float otherwise) {
  EB_UNROLL for (int i = 0; i < 4; i++) v[i] = p ? vf_load(p + at + 4 * (size_t)i) : vf_set1(otherwise);
}

EB_INLINE uint32x4_t eb_bit_of(const eb_limit_columns* c, int i, vf acc, const int affine) {
  vf v = vf_fma(acc, c->scale[i], c->bias[i]);
  if (!affine) v = vf_fma(vf_add(vf_leaky(v, c->slope[i]), c->offset[i]), c->gain[i], c->shift[i]);
  return vcltq_f32(v, c->threshold[i]);
}

/* Columns at .. at+15: limits, and bits of flip. 16 columns at once hide what an instruction waits for another. */
EB_INLINE uint16_t eb_limits_of_16(const eb_epilogue* e, const eb_count_scale* to_float, uint32_t most, size_t at,
                                   const int affine, uint16_t* limits) {
  eb_limit_columns c;
  eb_load_stage(c.scale, e->scale, at, 1.0f);
  eb_load_stage(c.bias, e->bias, at, 0.0f);
  eb_load_stage(c.slope, e->slope, at, 1.0f);
  eb_load_stage(c.offset, e->offset, at, 0.0f);
  eb_load_stage(c.gain, e->gain, at, 1.0f);
  eb_load_stage(c.shift, e->shift, at, 0.0f);
  eb_load_stage(c.threshold, e->threshold[0], at, 0.0f);
  const vf none = vf_sub(to_float->minuend, vreinterpretq_f32_u32(to_float->magic));
  const uint32x4_t one = vaddq_u32(to_float->magic, vdupq_n_u32(1));
  vf step = vf_sub(vreinterpretq_f32_u32(one), vreinterpretq_f32_u32(to_float->magic)); /* of acc, per count */
  vf last[4]; /* the accumulator of the last count that is known to have the bit of count 0 */
  uint32x4_t first[4], limit[4];
#define EB_EACH_4 EB_UNROLL for (int i = 0; i < 4; i++)
  EB_EACH_4 {
    last[i] = none;
    limit[i] = vdupq_n_u32(1);
    first[i] = eb_bit_of(&c, i, none, affine);
  }
  uint32_t jump = 1;
  for (; jump <= most / 2; jump *= 2) step = vf_add(step, step);
  for (; jump; jump /= 2, step = vf_mul(step, vf_set1(0.5f))) {
    EB_EACH_4 {
      const vf next = vf_sub(last[i], step);
      const uint32x4_t changed = veorq_u32(eb_bit_of(&c, i, next, affine), first[i]);
      last[i] = vbslq_f32(changed, last[i], next);
      limit[i] = vaddq_u32(limit[i], vbicq_u32(vdupq_n_u32(jump), changed));
    }
  }
  uint16_t flip = 0;
  EB_EACH_4 {
    vst1_u16(limits + 4 * i, vmovn_u32(vminq_u32(limit[i], vdupq_n_u32(most + 1))));
    flip |= (uint16_t)(vaddvq_u32(vandq_u32(first[i], (uint32x4_t){1, 2, 4, 8})) << (4 * i));
  }
#undef EB_EACH_4
  return flip;
}

EB_NOINLINE uint16_t eb_affine_limits(const eb_epilogue* e, const eb_count_scale* to_float, uint32_t most, size_t at,
                                      uint16_t* limits) {
  return eb_limits_of_16(e, to_float, most, at, 1, limits);
}

EB_NOINLINE uint16_t eb_any_limits(const eb_epilogue* e, const eb_count_scale* to_float, uint32_t most, size_t at,
                                   uint16_t* limits) {
  return eb_limits_of_16(e, to_float, most, at, 0, limits);
}

/* Limits of columns col .. col+cols-1, a multiple of 16, for counts up to `most` < 2^16 - 1: 1 .. most + 1. */
static void eb_find_limits(const eb_epilogue* e, const eb_count_scale* to_float, size_t most, size_t col, size_t cols,
                           eb_count_limits* limits) {
  const int affine = !e->slope && !e->offset && !e->gain;
  for (size_t j = 0; j < cols; j += 16) {
    const uint16_t flip = affine ? eb_affine_limits(e, to_float, (uint32_t)most, col + j, limits->limit + j)
                                 : eb_any_limits(e, to_float, (uint32_t)most, col + j, limits->limit + j);
    memcpy(limits->flip + j / 8, &flip, sizeof(flip));
  }
}

/* `rows` rows (a constant, even, at most 8), columns col .. col+31 of the bit plane, from counts; at: col within
 * limits. */
EB_INLINE void eb_limit_strip(const eb_count_limits* limits, uint8_t* bits, size_t row_bytes, const int rows, size_t at,
                              const uint16_t counts[][32]) {
  const uint8x16_t weight = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  uint16x8_t limit[4];
  EB_UNROLL for (int v = 0; v < 4; v++) limit[v] = vld1q_u16(limits->limit + at + 8 * (size_t)v);
  uint32_t flip;
  memcpy(&flip, limits->flip + at / 8, sizeof(flip));
  uint8x16_t sums[8];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    uint8x16_t halves[2];
    EB_UNROLL for (int h = 0; h < 2; h++) {
      const uint16x8_t first = vcgeq_u16(vld1q_u16(&counts[r][16 * h]), limit[2 * h]);
      const uint16x8_t second = vcgeq_u16(vld1q_u16(&counts[r][16 * h + 8]), limit[2 * h + 1]);
      halves[h] = vandq_u8(vuzp1q_u8(vreinterpretq_u8_u16(first), vreinterpretq_u8_u16(second)), weight);
    }
    sums[r] = vpaddq_u8(halves[0], halves[1]);
  }
  EB_UNROLL for (int r = 0; r < rows; r += 4, bits += 4 * row_bytes) {
    const uint8x16_t first = vpaddq_u8(sums[r], sums[r + 1]);
    const uint8x16_t second = r + 2 < rows ? vpaddq_u8(sums[r + 2], sums[r + 3]) : first;
    const uint32x4_t words = veorq_u32(vreinterpretq_u32_u8(vpaddq_u8(first, second)), vdupq_n_u32(flip));
    vst1q_lane_u32((uint32_t*)(void*)bits, words, 0);
    vst1q_lane_u32((uint32_t*)(void*)(bits + row_bytes), words, 1);
    if (r + 2 < rows) {
      vst1q_lane_u32((uint32_t*)(void*)(bits + 2 * row_bytes), words, 2);
      vst1q_lane_u32((uint32_t*)(void*)(bits + 3 * row_bytes), words, 3);
    }
  }
}

#undef MAX_PARAMETER

#endif
