/* The byte vocabulary of the attention kernels, on Armv8.0 NEON. */
#ifndef EDGEBIN_SIMD_U8_H
#define EDGEBIN_SIMD_U8_H

#include <arm_neon.h>
#include <stdint.h>

#include "../internal/compiler.h"

typedef uint8x16_t vu8;
#define VU8_LANES 16
#define VU8_TILE                                                                                       \
  4 /* vectors that share one broadcast: 4 rows x 4 vectors leave registers for 4 loads and 12 results \
     */

EB_INLINE vu8 vu8_load(const uint8_t* p) { return vld1q_u8(p); }
EB_INLINE void vu8_store(uint8_t* p, vu8 v) { vst1q_u8(p, v); }
EB_INLINE vu8 vu8_set1(uint8_t x) { return vdupq_n_u8(x); }
EB_INLINE vu8 vu8_and(vu8 a, vu8 b) { return vandq_u8(a, b); }
EB_INLINE vu8 vu8_xor(vu8 a, vu8 b) { return veorq_u8(a, b); }
EB_INLINE vu8 vu8_add(vu8 a, vu8 b) { return vaddq_u8(a, b); }
EB_INLINE vu8 vu8_sub(vu8 a, vu8 b) { return vsubq_u8(a, b); }
EB_INLINE vu8 vu8_max(vu8 a, vu8 b) { return vmaxq_u8(a, b); }
EB_INLINE vu8 vu8_min(vu8 a, vu8 b) { return vminq_u8(a, b); }
EB_INLINE uint8_t vu8_max_across(vu8 v) { return vmaxvq_u8(v); }
EB_INLINE uint8_t vu8_min_across(vu8 v) { return vminvq_u8(v); }
EB_INLINE int32_t vu8_popcount_across(vu8 v) { return vaddvq_u8(vcntq_u8(v)); } /* 128 at most */
EB_INLINE vu8 vu8_popcount(vu8 x) { return vcntq_u8(x); }

/* 1 or VU8_TILE vectors that follow each other. (Storing four by one ST1 ties the registers of sums together: spills.)
 */
EB_INLINE void vu8_load_tile(vu8* v, const uint8_t* p, const int vectors) {
  if (vectors == VU8_TILE) {
    const uint8x16x4_t tile = vld1q_u8_x4(p);
    EB_UNROLL for (int i = 0; i < VU8_TILE; i++) v[i] = tile.val[i];
  } else {
    v[0] = vld1q_u8(p);
  }
}

/* `bits` with bit `bit` of each byte set where v >= limit; called for the bits 0, 1 ... in turn. */
EB_INLINE vu8 vu8_put_at_least(vu8 bits, const int bit, vu8 v, vu8 limit) {
  const uint8x16_t at_least = vcgeq_u8(v, limit);
  return bit == 0 ? at_least : vbslq_u8(vdupq_n_u8((uint8_t)(1 << bit)), at_least, bits);
}

/* A table of bytes; indices past its end give 0. */
#define VU8_WINDOW 32
#define VU8_WINDOWS 4 /* 4 rows of two planes of two registers fill half the register file */
typedef uint8x16x2_t vu8_window;
EB_INLINE vu8_window vu8_load_window(const uint8_t* p) { return vld1q_u8_x2(p); }
EB_INLINE vu8 vu8_look_up(vu8_window window, vu8 index) { return vqtbl2q_u8(window, index); }

/* Sums of bytes in wider lanes: up to 128 vectors. */
typedef uint16x8_t vu8_sums;
EB_INLINE vu8_sums vu8_no_sums(void) { return vdupq_n_u16(0); }
EB_INLINE vu8_sums vu8_add_to_sums(vu8_sums sums, vu8 v) { return vpadalq_u8(sums, v); }
EB_INLINE uint64_t vu8_sums_across(vu8_sums sums) { return vaddlvq_u16(sums); }

/* p[i] = base - 2 * v[i] */
EB_INLINE void vu8_store_less_twice(int32_t* p, int32_t base, vu8 v) {
  const int32x4_t from = vdupq_n_s32(base);
  const int16x8_t half[2] = {vreinterpretq_s16_u16(vshll_n_u8(vget_low_u8(v), 1)),
                             vreinterpretq_s16_u16(vshll_high_n_u8(v, 1))};
  const int32x4x4_t result = {{vsubw_s16(from, vget_low_s16(half[0])), vsubw_high_s16(from, half[0]),
                               vsubw_s16(from, vget_low_s16(half[1])), vsubw_high_s16(from, half[1])}};
  vst1q_s32_x4(p, result);
}

/* p[i] -= 2 * v[i] */
EB_INLINE void vu8_subtract_twice(int32_t* p, vu8 v) {
  const int16x8_t half[2] = {vreinterpretq_s16_u16(vshll_n_u8(vget_low_u8(v), 1)),
                             vreinterpretq_s16_u16(vshll_high_n_u8(v, 1))};
  const int32x4x4_t from = vld1q_s32_x4(p);
  const int32x4x4_t result = {{vsubw_s16(from.val[0], vget_low_s16(half[0])), vsubw_high_s16(from.val[1], half[0]),
                               vsubw_s16(from.val[2], vget_low_s16(half[1])), vsubw_high_s16(from.val[3], half[1])}};
  vst1q_s32_x4(p, result);
}

#endif
