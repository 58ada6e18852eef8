/* 64 channels per vector of bytes: VPSHUFB looks up, VPMADDUBSW joins the two halves of entries. Unpacking works in
 * 128-bit lanes: vector i of four holds channels 4i .. 4i+3 of each lane of 16. */
#define BYTE_LANES 64
typedef __m512i bytes;
typedef __m512i words16;
typedef __m512i words32;

EB_INLINE bytes bytes_load(const uint8_t* p) { return _mm512_loadu_si512(p); }
EB_INLINE bytes bytes_add(bytes a, bytes b) { return _mm512_add_epi8(a, b); }
EB_INLINE bytes table_load(const uint8_t* p) { return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)p)); }
EB_INLINE bytes look_up(bytes table, bytes index) { return _mm512_shuffle_epi8(table, index); }

EB_INLINE void words16_clear(words16* v) { v[0] = v[1] = _mm512_setzero_si512(); }
EB_INLINE void words16_add_entries(words16* v, bytes low, bytes high) {
  const bytes factors = _mm512_set1_epi16(32 << 8 | 1);
  v[0] = _mm512_add_epi16(v[0], _mm512_maddubs_epi16(_mm512_unpacklo_epi8(low, high), factors));
  v[1] = _mm512_add_epi16(v[1], _mm512_maddubs_epi16(_mm512_unpackhi_epi8(low, high), factors));
}

EB_INLINE void words32_clear(words32* v) { EB_UNROLL for (int i = 0; i < 4; i++) v[i] = _mm512_setzero_si512(); }
EB_INLINE void words32_add(words32* v, const words16* half) {
  const words16 zero = _mm512_setzero_si512();
  EB_UNROLL for (int i = 0; i < 2; i++) {
    v[2 * i] = _mm512_add_epi32(v[2 * i], _mm512_unpacklo_epi16(half[i], zero));
    v[2 * i + 1] = _mm512_add_epi32(v[2 * i + 1], _mm512_unpackhi_epi16(half[i], zero));
  }
}
EB_INLINE void words32_store(uint32_t* p, const words32* v) {
  uint32_t copy[BYTE_LANES / 4];
  EB_UNROLL for (int i = 0; i < 4; i++) {
    _mm512_storeu_si512(copy, v[i]);
    EB_UNROLL for (int lane = 0; lane < BYTE_LANES / 16; lane++) memcpy(p + 16 * lane + 4 * i, copy + 4 * lane, 16);
  }
}
