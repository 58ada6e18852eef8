/* Popcounts on AVX2 by table look-up, for the convolution: table_avx2.h says what one VPSHUFB gives. Three such results
 * add up before a nibble overflows, then the high nibbles are summed apart; the low sums are what is left of the sum of
 * both, modulo 256.
 *
 * A block of 48 nibbles keeps byte sums at 192; 341 blocks keep 16-bit sums at 65472; then they go to float. */
#include "table_avx2.h"

#define EB_PANEL_BYTES_PER_BYTE 2
#define PAIRS (EB_TILE_ROWS / 2)
#define WEIGHT_VECTORS (EB_TILE_VECTORS / 4)
#define BLOCK_WORDS 3 /* 64-bit words of a row, 16 nibbles each */
#define CHUNK_WORDS (341 * BLOCK_WORDS)

EB_INLINE __m256i look_up(const uint8_t* index, const uint8_t* w) {
  const __m256i table = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i*)kTable[*index]));
  return _mm256_shuffle_epi8(table, _mm256_loadu_si256((const __m256i*)w));
}

/* sums[pair][vector][row of the pair]: byte counts of up to BLOCK_WORDS words. */
EB_INLINE void count_block(uint8_t index[][16 * BLOCK_WORDS], const uint8_t* w, size_t nibbles, const int pairs,
                           __m256i sums[][WEIGHT_VECTORS][2]) {
  const __m256i low_nibble = _mm256_set1_epi8(15);
  __m256i both[PAIRS][WEIGHT_VECTORS], high[PAIRS][WEIGHT_VECTORS];
  EB_UNROLL for (int p = 0; p < pairs; p++) {
    EB_UNROLL for (int v = 0; v < WEIGHT_VECTORS; v++) both[p][v] = high[p][v] = _mm256_setzero_si256();
  }
  size_t i = 0;
  for (; i + 3 <= nibbles; i += 3) {
    EB_UNROLL for (int p = 0; p < pairs; p++) {
      EB_UNROLL for (int v = 0; v < WEIGHT_VECTORS; v++) {
        __m256i x = look_up(&index[p][i], w + EB_TILE_COLS * i + 32 * v);
        x = _mm256_add_epi8(x, look_up(&index[p][i + 1], w + EB_TILE_COLS * (i + 1) + 32 * v));
        x = _mm256_add_epi8(x, look_up(&index[p][i + 2], w + EB_TILE_COLS * (i + 2) + 32 * v));
        both[p][v] = _mm256_add_epi8(both[p][v], x);
        high[p][v] = _mm256_add_epi8(high[p][v], _mm256_and_si256(_mm256_srli_epi16(x, 4), low_nibble));
      }
    }
  }
  for (; i < nibbles; i++) {
    EB_UNROLL for (int p = 0; p < pairs; p++) {
      EB_UNROLL for (int v = 0; v < WEIGHT_VECTORS; v++) {
        const __m256i x = look_up(&index[p][i], w + EB_TILE_COLS * i + 32 * v);
        both[p][v] = _mm256_add_epi8(both[p][v], x);
        high[p][v] = _mm256_add_epi8(high[p][v], _mm256_and_si256(_mm256_srli_epi16(x, 4), low_nibble));
      }
    }
  }
  EB_UNROLL for (int p = 0; p < pairs; p++) {
    EB_UNROLL for (int v = 0; v < WEIGHT_VECTORS; v++) {
      const __m256i times16 = _mm256_andnot_si256(low_nibble, _mm256_slli_epi16(high[p][v], 4));
      sums[p][v][0] = _mm256_sub_epi8(both[p][v], times16);
      sums[p][v][1] = high[p][v];
    }
  }
}

EB_INLINE void add_to_float(vf* counts, __m256i wide) {
  counts[0] = vf_add(counts[0], _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(wide))));
  counts[1] = vf_add(counts[1], _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(wide, 1))));
}

EB_INLINE void count_tile(const uint8_t* a, size_t a_row_bytes, const uint8_t* panel, size_t k, const int rows,
                          vf counts[][EB_TILE_VECTORS]) {
  const int pairs = (rows + 1) / 2;
  const size_t words = EB_CEIL_DIV(k, 64);
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) counts[r][v] = vf_set1(0.0f);
  }
  for (size_t chunk = 0; chunk < words; chunk += CHUNK_WORDS) {
    const size_t chunk_end = EB_MIN(chunk + CHUNK_WORDS, words);
    __m256i wide[EB_TILE_ROWS][2 * WEIGHT_VECTORS];
    EB_UNROLL for (int r = 0; r < 2 * pairs; r++) {
      EB_UNROLL for (int v = 0; v < 2 * WEIGHT_VECTORS; v++) wide[r][v] = _mm256_setzero_si256();
    }
    for (size_t word = chunk; word < chunk_end; word += BLOCK_WORDS) {
      const size_t block = EB_MIN(BLOCK_WORDS, chunk_end - word);
      uint8_t index[PAIRS][16 * BLOCK_WORDS];
      for (int p = 0; p < pairs; p++) {
        const uint8_t* a0 = a + (size_t)(2 * p) * a_row_bytes + 8 * word;
        const uint8_t* a1 = 2 * p + 1 < rows ? a0 + a_row_bytes : NULL;
        for (size_t i = 0; i < block; i++) pair_index(a0 + 8 * i, a1 ? a1 + 8 * i : NULL, &index[p][16 * i]);
      }
      __m256i sums[PAIRS][WEIGHT_VECTORS][2];
      count_block(index, panel + 16 * EB_TILE_COLS * word, 16 * block, pairs, sums);
      EB_UNROLL for (int r = 0; r < 2 * pairs; r++) {
        EB_UNROLL for (int v = 0; v < WEIGHT_VECTORS; v++) {
          const __m256i sum = sums[r / 2][v][r % 2];
          wide[r][2 * v] = _mm256_add_epi16(wide[r][2 * v], _mm256_cvtepu8_epi16(_mm256_castsi256_si128(sum)));
          wide[r][2 * v + 1] =
              _mm256_add_epi16(wide[r][2 * v + 1], _mm256_cvtepu8_epi16(_mm256_extracti128_si256(sum, 1)));
        }
      }
    }
    EB_UNROLL for (int r = 0; r < rows; r++) {
      EB_UNROLL for (int v = 0; v < 2 * WEIGHT_VECTORS; v++) add_to_float(&counts[r][2 * v], wide[r][v]);
    }
  }
}
