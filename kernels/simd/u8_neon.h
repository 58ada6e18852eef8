/* The byte vocabulary of the attention kernels, on Armv8.0 NEON. */
#ifndef EDGEBIN_SIMD_U8_H
#define EDGEBIN_SIMD_U8_H

#include <arm_neon.h>
#include <stdint.h>

#include "../internal/compiler.h"

typedef uint8x16_t vu8;
#define VU8_LANES 16
#define VU8_TILE 4 /* vectors that share one broadcast: 4 rows x 4 vectors fill the register file */

EB_INLINE vu8 vu8_load(const uint8_t* p) { return vld1q_u8(p); }
EB_INLINE void vu8_store(uint8_t* p, vu8 v) { vst1q_u8(p, v); }
EB_INLINE vu8 vu8_set1(uint8_t x) { return vdupq_n_u8(x); }
EB_INLINE vu8 vu8_and(vu8 a, vu8 b) { return vandq_u8(a, b); }
EB_INLINE vu8 vu8_xor(vu8 a, vu8 b) { return veorq_u8(a, b); }
EB_INLINE vu8 vu8_sub(vu8 a, vu8 b) { return vsubq_u8(a, b); }
/* sum + popcount of each byte of x */
EB_INLINE vu8 vu8_add_popcount(vu8 sum, vu8 x) { return vaddq_u8(sum, vcntq_u8(x)); }

/* Bit i is p[i] >= t, over 64 bytes. */
EB_INLINE uint64_t vu8_at_least_bits(const uint8_t* p, uint8_t t) {
  const uint8x16_t weight = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201)), limit = vdupq_n_u8(t);
  uint8x16_t bytes[4];
  EB_UNROLL for (int i = 0; i < 4; i++) bytes[i] = vandq_u8(vcgeq_u8(vld1q_u8(p + 16 * i), limit), weight);
  const uint8x16_t sum = vpaddq_u8(vpaddq_u8(bytes[0], bytes[1]), vpaddq_u8(bytes[2], bytes[3]));
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

/* p[i] -= 2 * v[i] */
EB_INLINE void vu8_subtract_twice(int32_t* p, vu8 v) {
  const uint16x8_t half[2] = {vshll_n_u8(vget_low_u8(v), 1), vshll_high_n_u8(v, 1)};
  EB_UNROLL for (int i = 0; i < 2; i++) {
    uint32_t* at = (uint32_t*)p + 8 * i;
    vst1q_u32(at, vsubw_u16(vld1q_u32(at), vget_low_u16(half[i])));
    vst1q_u32(at + 4, vsubw_high_u16(vld1q_u32(at + 4), half[i]));
  }
}

#endif
