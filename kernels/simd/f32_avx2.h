/* The float vocabulary of the shared kernel bodies, on AVX2 with FMA: see f32_neon.h for its twin. */
#ifndef EDGEBIN_SIMD_F32_H
#define EDGEBIN_SIMD_F32_H

#include <immintrin.h>
#include <stdint.h>

#include "../internal/compiler.h"

typedef __m256 vf;
#define VF_LANES 8
#define VF_ROW_VECTORS 4   /* vectors that the elementwise kernels keep in flight: 32 columns */
#define VF_STRIP_VECTORS 4 /* what an epilogue keeps in registers: VF_STRIP_ROWS rows of so many vectors */
#define VF_STRIP_ROWS 2

EB_INLINE vf vf_load(const float* p) { return _mm256_loadu_ps(p); }
EB_INLINE void vf_store(float* p, vf v) { _mm256_storeu_ps(p, v); }
EB_INLINE vf vf_load_i32(const int32_t* p) { return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i*)p)); }
EB_INLINE vf vf_load_u8(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p)));
}
EB_INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
EB_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
EB_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
EB_INLINE float vf_max_across(vf v) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}
EB_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
EB_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
EB_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }

/* v < 0 ? v * slope : v */
EB_INLINE vf vf_leaky(vf v, vf slope) {
  return _mm256_blendv_ps(v, _mm256_mul_ps(v, slope), _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_LT_OQ));
}

/* -1 where the bit is 1, else +1. By look-up, which needs no registers for masks and shifts: the tile of w1_gemm has
 * none left. */
EB_INLINE void vf_load_signs(vf* v, const uint8_t* bits, const int vectors) {
#define EB_SIGN(i, bit) ((i) >> (bit) & 1 ? -1.0f : 1.0f)
#define EB_SIGNS(i)                                            \
  {EB_SIGN(i, 0), EB_SIGN(i, 1), EB_SIGN(i, 2), EB_SIGN(i, 3), \
   EB_SIGN(i, 4), EB_SIGN(i, 5), EB_SIGN(i, 6), EB_SIGN(i, 7)}
#define EB_SIGNS4(i) EB_SIGNS(i), EB_SIGNS((i) + 1), EB_SIGNS((i) + 2), EB_SIGNS((i) + 3)
#define EB_SIGNS16(i) EB_SIGNS4(i), EB_SIGNS4((i) + 4), EB_SIGNS4((i) + 8), EB_SIGNS4((i) + 12)
#define EB_SIGNS64(i) EB_SIGNS16(i), EB_SIGNS16((i) + 16), EB_SIGNS16((i) + 32), EB_SIGNS16((i) + 48)
  static const float kSigns[256][8]
      __attribute__((aligned(64))) = {EB_SIGNS64(0), EB_SIGNS64(64), EB_SIGNS64(128), EB_SIGNS64(192)};
#undef EB_SIGNS64
#undef EB_SIGNS16
#undef EB_SIGNS4
#undef EB_SIGNS
#undef EB_SIGN
  EB_UNROLL for (int i = 0; i < vectors; i++) v[i] = vf_load(kSigns[bits[i]]);
}

/* Bit i is v[i] < t[i], over `vectors` vectors. */
EB_INLINE uint64_t vf_less_bits(const vf* v, const vf* t, const int vectors) {
  uint64_t bits = 0;
  EB_UNROLL for (int i = 0; i < vectors; i++) {
    bits |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(v[i], t[i], _CMP_LT_OQ)) << (VF_LANES * i);
  }
  return bits;
}

/* Sums of neighbours, first those of a, then those of b. HADD works in 128-bit halves: the permutation mends that. */
EB_INLINE vf vf_pair_add(vf a, vf b) {
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_hadd_ps(a, b)), 0xD8));
}

#endif
