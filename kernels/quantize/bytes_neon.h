EB_INLINE void store_bytes(int8_t* q, const vf* v) {
  const int16x8_t low = vcombine_s16(vmovn_s32(vcvtnq_s32_f32(v[0])), vmovn_s32(vcvtnq_s32_f32(v[1])));
  const int16x8_t high = vcombine_s16(vmovn_s32(vcvtnq_s32_f32(v[2])), vmovn_s32(vcvtnq_s32_f32(v[3])));
  vst1q_s8(q, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}
