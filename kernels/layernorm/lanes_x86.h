/* 16 lanes in one vector of AVX-512 or two of AVX2. */
#define LANE_VECTORS (16 / VF_LANES)

EB_INLINE float lanes_total(const vf* v) {
#if VF_LANES == 16
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v[0]), _mm512_extractf32x8_ps(v[0], 1));
#else
  const __m256 eight = _mm256_add_ps(v[0], v[1]);
#endif
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

EB_INLINE float inverse_root(float x) { return 1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
