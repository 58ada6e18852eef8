/* Sixteen lanes of 16 channels on AVX2, and on AVX-512 in its 256-bit form, which has as many lanes as a group of the
 * published networks has output channels. AVX2 counts by nibbles: ten instructions for 256 bit products, four on
 * AVX-512.
 */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define COUNT_BIAS 0.0f

typedef __m256i vw;

EB_INLINE vw vw_zero(void) { return _mm256_setzero_si256(); }
EB_INLINE vw vw_load(const uint8_t* p) { return _mm256_loadu_si256((const __m256i*)p); }
EB_INLINE vw vw_differing(vw weights, const uint8_t* word) {
  int16_t bits;
  memcpy(&bits, word, sizeof(bits));
  return _mm256_xor_si256(weights, _mm256_set1_epi16(bits));
}

#if VF_LANES == 16
#define TILE_PIXELS 8
EB_INLINE vw vw_add_differing(vw sum, vw weights, const uint8_t* word) {
  return _mm256_add_epi16(sum, _mm256_popcnt_epi16(vw_differing(weights, word)));
}

/* to = from - 2 * counts */
EB_INLINE void vw_subtract_twice(const vf* from, const int biased, vw sum, float* to) {
  (void)biased;
  const vf count = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sum));
  vf_store(to, _mm512_fnmadd_ps(count, vf_set1(2.0f), from[0]));
}
#else
#define TILE_PIXELS 4 /* 4 sums, and what their popcounts take */
EB_INLINE vw vw_add_differing(vw sum, vw weights, const uint8_t* word) {
  const __m256i counts = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m256i nibble = _mm256_set1_epi8(15), x = vw_differing(weights, word);
  const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(x, nibble));
  const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble));
  return _mm256_add_epi8(sum, _mm256_add_epi8(low, high));
}

/* to = from - 2 * counts */
EB_INLINE void vw_subtract_twice(const vf* from, const int biased, vw sum, float* to) {
  (void)biased;
  const __m256i count = _mm256_maddubs_epi16(sum, _mm256_set1_epi8(1));
  const vf low = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(count)));
  const vf high = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(count, 1)));
  vf_store(to, _mm256_fnmadd_ps(low, vf_set1(2.0f), from[0]));
  vf_store(to + 8, _mm256_fnmadd_ps(high, vf_set1(2.0f), from[1]));
}
#endif
