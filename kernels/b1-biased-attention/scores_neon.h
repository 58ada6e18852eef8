/* Biased scores of 16 tokens on NEON. Include after simd/f32_neon.h. */
#define VF_SCORES 4

/* 2^23 + 2 + 2 * agree is a float whose bits UADDW makes, twice as fast as UCVTF on Cortex-A72 and A76; taking off
 * 2^23 + 2 + head_dim leaves the score exactly. (Without the 2, clang makes USHLL and ORR of the addition.) */
EB_INLINE void eb_scores16(const uint8_t* agree, const float* bias, float scale, size_t head_dim, vf* t) {
  const uint8x16_t bytes = vld1q_u8(agree);
  const uint16x8_t twice[2] = {vshll_n_u8(vget_low_u8(bytes), 1), vshll_high_n_u8(bytes, 1)};
  const uint32x4_t magic = vdupq_n_u32(0x4B000002);
  const float32x4_t offset = vdupq_n_f32(8388610.0f + (float)head_dim), factor = vdupq_n_f32(scale);
  EB_UNROLL for (int half = 0; half < 2; half++) {
    const float32x4_t low = vreinterpretq_f32_u32(vaddw_u16(magic, vget_low_u16(twice[half])));
    const float32x4_t high = vreinterpretq_f32_u32(vaddw_high_u16(magic, twice[half]));
    t[2 * half] = vfmaq_f32(vld1q_f32(bias + 8 * half), vsubq_f32(low, offset), factor);
    t[2 * half + 1] = vfmaq_f32(vld1q_f32(bias + 8 * half + 4), vsubq_f32(high, offset), factor);
  }
}

EB_INLINE void eb_at_least16(const float* t, vf limit, uint8_t* on) {
  uint16x8_t half[2];
  EB_UNROLL for (int i = 0; i < 2; i++) {
    half[i] = vuzp1q_u16(vreinterpretq_u16_u32(vcgeq_f32(vld1q_f32(t + 8 * i), limit)),
                         vreinterpretq_u16_u32(vcgeq_f32(vld1q_f32(t + 8 * i + 4), limit)));
  }
  vst1q_u8(on, vuzp1q_u8(vreinterpretq_u8_u16(half[0]), vreinterpretq_u8_u16(half[1])));
}
