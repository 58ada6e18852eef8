/* eb_quantize on AVX2: see quantize.h. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"

/* Rounds as the processor is set: to nearest, ties to even, as every program starts. */
EB_INLINE void store_bytes(int8_t* q, const vf* v) {
  const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(v[0]), _mm256_cvtps_epi32(v[1]));
  const __m256i in_order = _mm256_permute4x64_epi64(words, 0xD8);
  _mm_storeu_si128((__m128i*)q,
                   _mm_packs_epi16(_mm256_castsi256_si128(in_order), _mm256_extracti128_si256(in_order, 1)));
}

#include "quantize.h"
