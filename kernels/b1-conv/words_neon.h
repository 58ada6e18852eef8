/* Sixteen lanes of 16 channels on NEON: EOR, CNT and ADD of two registers for 256 bit products; sums are bytes. */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define TILE_PIXELS 8 /* 16 sums, 2 registers of weights, broadcasts and products on the way */
#define COUNT_BIAS 8388610.0f

typedef uint8x16x2_t vw;

EB_INLINE vw vw_zero(void) { return (vw){{vdupq_n_u8(0), vdupq_n_u8(0)}}; }
EB_INLINE vw vw_load(const uint8_t* p) { return vld1q_u8_x2(p); }
EB_INLINE vw vw_add_differing(vw sum, vw weights, const uint8_t* word) {
  uint16_t bits;
  memcpy(&bits, word, sizeof(bits));
  const uint8x16_t x = vreinterpretq_u8_u16(vdupq_n_u16(bits));
  EB_UNROLL for (int i = 0; i < 2; i++) sum.val[i] = vaddq_u8(sum.val[i], vcntq_u8(veorq_u8(x, weights.val[i])));
  return sum;
}

/* to = from - 2 * counts. A float's bits plus an integer are that float plus the integer, as long as it stays below
 * 2^24: UADDW makes floats twice as fast as UCVTF does on Cortex-A72 and A76. The first constants hold the float too
 * (COUNT_BIAS), which saves taking it off. It is not 2^23 itself, or clang makes USHLL and ORR of the addition. */
EB_INLINE void vw_subtract_twice(const vf* from, const int biased, vw sum, float* to) {
  const uint32x4_t magic = vreinterpretq_u32_f32(vdupq_n_f32(COUNT_BIAS));
  EB_UNROLL for (int i = 0; i < 2; i++) {
    const uint16x8_t count = vpaddlq_u8(sum.val[i]), twice = vaddq_u16(count, count);
    float32x4_t low = vreinterpretq_f32_u32(vaddw_u16(magic, vget_low_u16(twice)));
    float32x4_t high = vreinterpretq_f32_u32(vaddw_high_u16(magic, twice));
    if (!biased) {
      low = vsubq_f32(low, vdupq_n_f32(COUNT_BIAS));
      high = vsubq_f32(high, vdupq_n_f32(COUNT_BIAS));
    }
    vst1q_f32(to + 8 * i, vsubq_f32(from[2 * i], low));
    vst1q_f32(to + 8 * i + 4, vsubq_f32(from[2 * i + 1], high));
  }
}
