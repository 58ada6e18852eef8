/* Counts two rows x 64 channels on AVX2 by table look-up (table_avx2.h), in four steps:
 *
 *  1. Where enough panels read them, the tables of two rows are laid out, 16 bytes per four bits of k: then a table is
 *     one broadcasting load. For few panels only their places in kTable are, a byte each. `step` says which: 16 or 1.
 *  2. Three look-ups add up before a nibble overflows. Their sum x holds both rows; all x together are summed modulo
 * 256.
 *  3. The high nibbles are summed apart, by the mean of two (VPAVGB), which is exact for multiples of 16 and takes no
 *     shift: the mean of 16 values 16h is the sum of the h. What is left of the sum of both, modulo 256, is the low
 * row's. 48 nibbles are 16 triples, and end at 192.
 *  4. Bytes go to 16-bit sums in memory.
 *
 * That is 2.65 vector operations per look-up of 256 products, and 1.5 loads. */
#include "table_avx2.h"

#define NIBBLES 16    /* of a 64-bit word */
#define BLOCK_WORDS 3 /* of a row */

#define TABLE_BYTES 16
#define INDEX_BYTES 1

/* 16-bit sums of a row: 16 channels a vector, 0-7 16-23, 8-15 24-31, 32-39 48-55, 40-47 56-63. */
typedef __m256i wide_sums[4];

/* a1 NULL: the second row does not matter. */
EB_INLINE void build_tables(const uint8_t* a0, const uint8_t* a1, size_t words, const int step, uint8_t* tables) {
  for (size_t i = 0; i < words; i++, tables += step * NIBBLES) {
    uint8_t index[NIBBLES];
    pair_index(a0 + 8 * i, a1 ? a1 + 8 * i : NULL, index);
    if (step == INDEX_BYTES) {
      memcpy(tables, index, NIBBLES);
    } else {
      EB_UNROLL for (int j = 0; j < NIBBLES; j++) memcpy(tables + TABLE_BYTES * j, kTable[index[j]], TABLE_BYTES);
    }
  }
}

/* x: sums of two or three nibbles. */
EB_INLINE void look_up(const uint8_t* tables, const uint8_t* w, const int step, const int nibbles, __m256i* x) {
  EB_UNROLL for (int i = 0; i < nibbles; i++) {
    const uint8_t* entries = step == INDEX_BYTES ? kTable[tables[i]] : tables + TABLE_BYTES * i;
    const __m256i table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)entries));
    EB_UNROLL for (int v = 0; v < 2; v++) {
      const __m256i nibble = _mm256_loadu_si256((const __m256i*)(w + 64 * i + 32 * v));
      const __m256i found = _mm256_shuffle_epi8(table, nibble);
      x[v] = i ? _mm256_add_epi8(x[v], found) : found;
    }
  }
}

/* Adds x to `both`, and leaves the high nibbles in x. */
EB_INLINE void add_both(__m256i* both, __m256i* x) {
  EB_UNROLL for (int v = 0; v < 2; v++) {
    both[v] = _mm256_add_epi8(both[v], x[v]);
    x[v] = _mm256_and_si256(x[v], _mm256_set1_epi8((char)0xF0));
  }
}

EB_INLINE void triples_1(const uint8_t* tables, const uint8_t* w, const int step, __m256i* both, __m256i* mean) {
  look_up(tables, w, step, 3, mean);
  add_both(both, mean);
}

#define TRIPLES(count, half)                                                                             \
  EB_INLINE void triples_##count(const uint8_t* tables, const uint8_t* w, const int step, __m256i* both, \
                                 __m256i* mean) {                                                        \
    __m256i other[2];                                                                                    \
    triples_##half(tables, w, step, both, mean);                                                         \
    triples_##half(tables + step * 3 * half, w + 64 * 3 * half, step, both, other);                      \
    EB_UNROLL for (int v = 0; v < 2; v++) mean[v] = _mm256_avg_epu8(mean[v], other[v]);                  \
  }
TRIPLES(2, 1)
TRIPLES(4, 2)
TRIPLES(8, 4)
TRIPLES(16, 8)

/* One word: 16 nibbles in sums of 3, 3, 3, 3, 2, 2. */
EB_INLINE void count_word(const uint8_t* tables, const uint8_t* w, const int step, __m256i* both, __m256i* high) {
  __m256i mean[2], x[2], y[2];
  triples_4(tables, w, step, both, mean);
  look_up(tables + step * 12, w + 64 * 12, step, 2, x);
  look_up(tables + step * 14, w + 64 * 14, step, 2, y);
  add_both(both, x);
  add_both(both, y);
  EB_UNROLL for (int v = 0; v < 2; v++) {
    high[v] = _mm256_add_epi8(high[v], _mm256_srli_epi16(mean[v], 2));
    high[v] = _mm256_add_epi8(high[v], _mm256_srli_epi16(_mm256_avg_epu8(x[v], y[v]), 3));
  }
}

EB_INLINE void widen(__m256i bytes, __m256i* sums, const int first) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i low = _mm256_unpacklo_epi8(bytes, zero), high = _mm256_unpackhi_epi8(bytes, zero);
  sums[0] = first ? low : _mm256_add_epi16(sums[0], low);
  sums[1] = first ? high : _mm256_add_epi16(sums[1], high);
}

/* Adds up to BLOCK_WORDS words to the sums of two rows, or sets them. */
EB_INLINE void count_block(const uint8_t* tables, const uint8_t* w, size_t words, const int step, const int first,
                           wide_sums* sums) {
  __m256i both[2], high[2];
  EB_UNROLL for (int v = 0; v < 2; v++) both[v] = high[v] = _mm256_setzero_si256();
  if (words == BLOCK_WORDS) {
    triples_16(tables, w, step, both, high);
  } else {
    for (size_t i = 0; i < words; i++, tables += step * NIBBLES, w += 64 * NIBBLES) {
      count_word(tables, w, step, both, high);
    }
  }
  EB_UNROLL for (int v = 0; v < 2; v++) {
    const __m256i high16 = _mm256_andnot_si256(_mm256_set1_epi8(15), _mm256_slli_epi16(high[v], 4));
    widen(_mm256_sub_epi8(both[v], high16), sums[0] + 2 * v, first);
    widen(high[v], sums[1] + 2 * v, first);
  }
}

/* Channels 8v .. 8v+7 as 32-bit integers. */
EB_INLINE __m256i counts_of(const __m256i* sums, const int v) {
  const uint16_t* eight = (const uint16_t*)(sums + v / 4 * 2 + v % 2) + v % 4 / 2 * 8;
  return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)eight));
}
