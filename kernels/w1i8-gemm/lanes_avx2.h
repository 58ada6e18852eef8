/* 32 channels per vector of bytes: VPSHUFB looks up, VPMADDUBSW joins the two halves of entries. Unpacking works in
 * 128-bit lanes: vector i of four holds channels 4i .. 4i+3 of each lane of 16. */
#define BYTE_LANES 32
typedef __m256i bytes;
typedef __m256i words16;
typedef __m256i words32;

EB_INLINE bytes bytes_load(const uint8_t* p) { return _mm256_loadu_si256((const __m256i*)p); }
EB_INLINE bytes bytes_add(bytes a, bytes b) { return _mm256_add_epi8(a, b); }
EB_INLINE bytes table_load(const uint8_t* p) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)p)); }
EB_INLINE bytes look_up(bytes table, bytes index) { return _mm256_shuffle_epi8(table, index); }

EB_INLINE void words16_clear(words16* v) { v[0] = v[1] = _mm256_setzero_si256(); }
EB_INLINE void words16_add_entries(words16* v, bytes low, bytes high) {
  const bytes factors = _mm256_set1_epi16(32 << 8 | 1);
  v[0] = _mm256_add_epi16(v[0], _mm256_maddubs_epi16(_mm256_unpacklo_epi8(low, high), factors));
  v[1] = _mm256_add_epi16(v[1], _mm256_maddubs_epi16(_mm256_unpackhi_epi8(low, high), factors));
}

EB_INLINE void words32_clear(words32* v) { EB_UNROLL for (int i = 0; i < 4; i++) v[i] = _mm256_setzero_si256(); }
EB_INLINE void words32_add(words32* v, const words16* half) {
  const words16 zero = _mm256_setzero_si256();
  EB_UNROLL for (int i = 0; i < 2; i++) {
    v[2 * i] = _mm256_add_epi32(v[2 * i], _mm256_unpacklo_epi16(half[i], zero));
    v[2 * i + 1] = _mm256_add_epi32(v[2 * i + 1], _mm256_unpackhi_epi16(half[i], zero));
  }
}
EB_INLINE void words32_store(uint32_t* p, const words32* v) {
  uint32_t copy[BYTE_LANES / 4];
  EB_UNROLL for (int i = 0; i < 4; i++) {
    _mm256_storeu_si256((__m256i*)copy, v[i]);
    EB_UNROLL for (int lane = 0; lane < BYTE_LANES / 16; lane++) memcpy(p + 16 * lane + 4 * i, copy + 4 * lane, 16);
  }
}
