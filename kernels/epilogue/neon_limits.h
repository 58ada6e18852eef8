/* Bits straight from popcounts on NEON: an epilogue that makes only bits is a comparison of integers.
 *
 * Without residual and skip, v of edgebin.h is a chain of monotone functions of the accumulator, rounding included, so
 * per column there is one smallest popcount from which on bit = v < threshold changes. It is found once per call, by
 * bisection with the very formula that other epilogues use; then a tile needs CMHS instead of UADDW, FSUB, FMLA, FCMGT.
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

/* bit = (count >= limit) ^ flip */
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

/* Whether count gives the bit that small counts do not: all ones, or 0. Columns at .. at+3. */
EB_INLINE uint32x4_t eb_bit_of(const eb_epilogue* e, const eb_count_scale* to_float, size_t at, uint32x4_t count,
                               uint32x4_t flip) {
  vf v = vf_sub(to_float->minuend, vreinterpretq_f32_u32(vaddq_u32(to_float->magic, count)));
  const vf bias = e->bias ? vf_load(e->bias + at) : vf_set1(0.0f);
  v = e->scale ? vf_fma(v, vf_load(e->scale + at), bias) : vf_add(v, bias);
  if (e->slope) v = vf_leaky(v, vf_load(e->slope + at));
  if (e->offset) v = vf_add(v, vf_load(e->offset + at));
  if (e->gain) v = vf_fma(v, vf_load(e->gain + at), vf_load(e->shift + at));
  return veorq_u32(vcltq_f32(v, vf_load(e->threshold[0] + at)), flip);
}

/* Limits of columns col .. col+cols-1, a multiple of 16, for counts up to `most`. */
static void eb_find_limits(const eb_epilogue* e, const eb_count_scale* to_float, size_t most, size_t col, size_t cols,
                           eb_count_limits* limits) {
  uint32_t top = 1;
  while (top <= most) top *= 2;
  for (size_t j = 0; j < cols; j += 16) {
    uint16x4_t low[4];
    vf falls[4];
    for (size_t i = 0; i < 4; i++) {
      const size_t at = col + j + 4 * i;
      /* v falls as the count rises, unless scale and gain together turn it round. */
      vf sign = e->scale ? vf_load(e->scale + at) : vf_set1(1.0f);
      uint32x4_t flip = vcltzq_f32(sign);
      if (e->gain) flip = veorq_u32(flip, vcltzq_f32(vf_load(e->gain + at)));
      uint32x4_t limit = vdupq_n_u32(0);
      for (uint32_t step = top; step; step /= 2) {
        const uint32x4_t next = vaddq_u32(limit, vdupq_n_u32(step));
        const uint32x4_t set = eb_bit_of(e, to_float, at, vsubq_u32(next, vdupq_n_u32(1)), flip);
        limit = vbslq_u32(set, limit, next);
      }
      low[i] = vqmovn_u32(limit);
      falls[i] = vreinterpretq_f32_u32(vandq_u32(flip, vdupq_n_u32(0xBF800000))); /* -1 where flipped */
    }
    vst1q_u16(limits->limit + j, vcombine_u16(low[0], low[1]));
    vst1q_u16(limits->limit + j + 8, vcombine_u16(low[2], low[3]));
    const vf zero[4] = {vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f)};
    const uint16_t bits = (uint16_t)vf_less_bits(falls, zero, 4);
    memcpy(limits->flip + j / 8, &bits, sizeof(bits));
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
