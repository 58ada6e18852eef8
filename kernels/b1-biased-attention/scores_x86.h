/* Biased scores of 16 tokens on AVX2 and AVX-512. Include after a simd/f32_*.h. */
#define VF_SCORES (16 / VF_LANES)

EB_INLINE void eb_scores16(const uint8_t* agree, const float* bias, float scale, size_t head_dim, vf* t) {
  const vf factor = vf_set1(scale), two = vf_set1(2.0f), minus_d = vf_set1(-(float)head_dim);
  EB_UNROLL for (int v = 0; v < VF_SCORES; v++) {
    const vf score = vf_fma(vf_load_u8(agree + v * VF_LANES), two, minus_d);
    t[v] = vf_fma(score, factor, vf_load(bias + v * VF_LANES));
  }
}

EB_INLINE void eb_at_least16(const float* t, vf limit, uint8_t* on) {
#if VF_LANES == 16
  _mm_storeu_si128((__m128i*)on, _mm_movm_epi8(_mm512_cmp_ps_mask(vf_load(t), limit, _CMP_GE_OQ)));
#else
  const __m256i low = _mm256_castps_si256(_mm256_cmp_ps(vf_load(t), limit, _CMP_GE_OQ));
  const __m256i high = _mm256_castps_si256(_mm256_cmp_ps(vf_load(t + 8), limit, _CMP_GE_OQ));
  /* PACKSS works in 128-bit halves: the permutation mends that. */
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
  _mm_storeu_si128((__m128i*)on, _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
#endif
}
