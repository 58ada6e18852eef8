/* The float vocabulary of the shared kernel bodies, on AVX-512: see f32_neon.h for its twin. */
#ifndef EDGEBIN_SIMD_F32_H
#define EDGEBIN_SIMD_F32_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "../internal/compiler.h"

typedef __m512 vf;
#define VF_LANES 16
#define VF_ROW_VECTORS 4   /* vectors that the elementwise kernels keep in flight: 64 columns, one bit word */
#define VF_STRIP_VECTORS 4 /* what an epilogue keeps in registers: VF_STRIP_ROWS rows of so many vectors */
#define VF_STRIP_ROWS 4

EB_INLINE vf vf_load(const float* p) { return _mm512_loadu_ps(p); }
EB_INLINE void vf_store(float* p, vf v) { _mm512_storeu_ps(p, v); }
EB_INLINE vf vf_load_i32(const int32_t* p) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(p)); }
EB_INLINE vf vf_load_u8(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p)));
}
EB_INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
EB_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
EB_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
EB_INLINE float vf_max_across(vf v) { return _mm512_reduce_max_ps(v); }
EB_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
EB_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
EB_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }

/* v < 0 ? v * slope : v */
EB_INLINE vf vf_leaky(vf v, vf slope) {
  return _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ), v, slope);
}

/* -1 where the bit is 1, else +1. */
EB_INLINE void vf_load_signs(vf* v, const uint8_t* bits, const int vectors) {
  EB_UNROLL for (int i = 0; i < vectors; i++) {
    uint16_t word;
    memcpy(&word, bits + 2 * i, sizeof(word));
    v[i] = _mm512_mask_blend_ps(word, vf_set1(1.0f), vf_set1(-1.0f));
  }
}

/* Bit i is v[i] < t[i], over `vectors` vectors. */
EB_INLINE uint64_t vf_less_bits(const vf* v, const vf* t, const int vectors) {
  uint64_t bits = 0;
  EB_UNROLL for (int i = 0; i < vectors; i++) {
    bits |= (uint64_t)_mm512_cmp_ps_mask(v[i], t[i], _CMP_LT_OQ) << (VF_LANES * i);
  }
  return bits;
}

/* Sums of neighbours, first those of a, then those of b. */
EB_INLINE vf vf_pair_add(vf a, vf b) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return _mm512_add_ps(_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b));
}

#endif
