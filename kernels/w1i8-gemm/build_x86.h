/* The tables of one row for 32 of k: 16 entries per register, two bytes of a per VPMADDUBSW. */
EB_INLINE void build_step(const int8_t* a, uint8_t* tables) {
  /* For entry 0, 1, .. 15: its bits 0 and 1 as bytes; its bits 2 and 3. */
  const __m256i bits01 = _mm256_set1_epi64x(0x0101010000010000);
  const __m256i bits23 =
      _mm256_setr_epi32(0, 0, 0x00010001, 0x00010001, 0x01000100, 0x01000100, 0x01010101, 0x01010101);
  for (int group = 0; group < STEP_GROUPS; group++, a += 4, tables += GROUP_BYTES) {
    int16_t first, second;
    memcpy(&first, a, sizeof(first));
    memcpy(&second, a + 2, sizeof(second));
    const __m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(bits01, _mm256_set1_epi16(first)),
                                         _mm256_maddubs_epi16(bits23, _mm256_set1_epi16(second)));
    const __m256i entry = _mm256_add_epi16(sum, _mm256_set1_epi16(512));
    const __m256i both =
        _mm256_packus_epi16(_mm256_and_si256(entry, _mm256_set1_epi16(31)), _mm256_srli_epi16(entry, 5));
    _mm256_storeu_si256((__m256i*)tables, _mm256_permute4x64_epi64(both, 0xD8));
  }
}
