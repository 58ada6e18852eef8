/* The float vocabulary of the shared kernel bodies (epilogue, rows, f32-stencil), on Armv8.0 NEON. */
#ifndef EDGEBIN_SIMD_F32_H
#define EDGEBIN_SIMD_F32_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "../internal/compiler.h"

typedef float32x4_t vf;
#define VF_LANES 4
#define VF_ROW_VECTORS 8   /* vectors that the elementwise kernels keep in flight: 32 columns */
#define VF_STRIP_VECTORS 4 /* what an epilogue keeps in registers: VF_STRIP_ROWS rows of so many vectors */
#define VF_STRIP_ROWS 4

EB_INLINE vf vf_load(const float* p) { return vld1q_f32(p); }
EB_INLINE void vf_store(float* p, vf v) { vst1q_f32(p, v); }
EB_INLINE vf vf_load_i32(const int32_t* p) { return vcvtq_f32_s32(vld1q_s32(p)); }
EB_INLINE vf vf_load_u8(const uint8_t* p) {
  uint32_t bytes;
  memcpy(&bytes, p, sizeof(bytes));
  const uint16x8_t wide = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes)));
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
}
EB_INLINE vf vf_set1(float x) { return vdupq_n_f32(x); }
EB_INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
EB_INLINE vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
EB_INLINE float vf_max_across(vf v) { return vmaxvq_f32(v); }
EB_INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
EB_INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
EB_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }

/* v < 0 ? v * slope : v */
EB_INLINE vf vf_leaky(vf v, vf slope) { return vbslq_f32(vcltzq_f32(v), vmulq_f32(v, slope), v); }

/* -1 where the bit is 1, else +1, over 4 vectors. By look-up: loads and integers leave the vector pipes to FMLA. */
EB_INLINE void vf_load_signs(vf* v, const uint8_t* bits, const int vectors) {
#define EB_SIGN(i, bit) ((i) >> (bit) & 1 ? -1.0f : 1.0f)
#define EB_SIGNS(i) {EB_SIGN(i, 0), EB_SIGN(i, 1), EB_SIGN(i, 2), EB_SIGN(i, 3)}
#define EB_SIGNS4(i) EB_SIGNS(i), EB_SIGNS(i + 1), EB_SIGNS(i + 2), EB_SIGNS(i + 3)
  static const float kSigns[16][4]
      __attribute__((aligned(64))) = {EB_SIGNS4(0), EB_SIGNS4(4), EB_SIGNS4(8), EB_SIGNS4(12)};
#undef EB_SIGNS4
#undef EB_SIGNS
#undef EB_SIGN
  uint16_t word;
  memcpy(&word, bits, sizeof(word));
  EB_UNROLL for (int i = 0; i < vectors; i++) v[i] = vld1q_f32(kSigns[word >> (4 * i) & 15]);
}

/* Masks of four vectors -> 16 bytes that hold one bit each, bit i % 8 of byte i. */
EB_INLINE uint8x16_t vf_less_bytes(const vf* v, const vf* t) {
  const uint8x16_t weight = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const uint16x8_t low =
      vuzp1q_u16(vreinterpretq_u16_u32(vcltq_f32(v[0], t[0])), vreinterpretq_u16_u32(vcltq_f32(v[1], t[1])));
  const uint16x8_t high =
      vuzp1q_u16(vreinterpretq_u16_u32(vcltq_f32(v[2], t[2])), vreinterpretq_u16_u32(vcltq_f32(v[3], t[3])));
  return vandq_u8(vuzp1q_u8(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high)), weight);
}

/* Bit i is v[i] < t[i], over 4 or 8 vectors. */
EB_INLINE uint64_t vf_less_bits(const vf* v, const vf* t, const int vectors) {
  const uint8x16_t first = vf_less_bytes(v, t);
  uint8x16_t sum = vpaddq_u8(first, vectors == 8 ? vf_less_bytes(v + 4, t + 4) : first);
  sum = vpaddq_u8(sum, sum);
  sum = vpaddq_u8(sum, sum);
  const uint32_t bits = vgetq_lane_u32(vreinterpretq_u32_u8(sum), 0);
  return vectors == 8 ? bits : bits & 0xFFFF;
}

/* Sums of neighbours, first those of a, then those of b. */
EB_INLINE vf vf_pair_add(vf a, vf b) { return vpaddq_f32(a, b); }

#endif
