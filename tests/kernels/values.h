/* Repeatable test data in guarded buffers. */
#ifndef EDGEBIN_TESTS_VALUES_H
#define EDGEBIN_TESTS_VALUES_H

#include "edgebin.h"
#include "guarded.h"

static uint64_t random_state;

/* splitmix64 */
static uint64_t random_u64(void) {
  uint64_t z = (random_state += 0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

static size_t random_below(size_t limit) { return (size_t)(random_u64() % limit); }

/* Small integers make ties with thresholds; fractions make roundings; both kinds hold zeros of both signs. */
typedef enum { INTEGERS, FRACTIONS } value_kind;

static float random_float(value_kind kind) {
  static const float kSpecial[] = {0.0f, -0.0f, 1e-40f, -1e-40f, 1.0f, -1.0f};
  if (kind == INTEGERS) return (float)random_below(9) - 4.0f;
  if (random_below(8) == 0) return kSpecial[random_below(6)];
  return (float)(int32_t)(uint32_t)random_u64() * 0x1p-30f;
}

static float* random_floats(size_t count, value_kind kind) {
  float* p = guarded_alloc(count * sizeof(float), sizeof(float));
  for (size_t i = 0; i < count; i++) p[i] = random_float(kind);
  return p;
}

/* rows x k bits, padding bits 0. */
static uint8_t* random_bits(size_t rows, size_t k) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(k);
  uint8_t* p = guarded_alloc(rows * row_bytes, 1);
  for (size_t i = 0; i < rows * row_bytes; i++) {
    const size_t first = i % row_bytes * 8;
    const uint8_t random = (uint8_t)random_u64();
    p[i] = first + 8 <= k ? random : first < k ? random & (uint8_t)((1u << (k - first)) - 1) : 0;
  }
  return p;
}

/* Words along k; the last one is padded with zeros. */
static size_t packed_words(size_t row_bytes, size_t word_bits) { return (row_bytes * 8 + word_bits - 1) / word_bits; }

static size_t packed_bytes(size_t n, size_t row_bytes, size_t nr, size_t word_bits) {
  return (n + nr - 1) / nr * nr * packed_words(row_bytes, word_bits) * (word_bits < 8 ? 1 : word_bits / 8);
}

/* Rows of words -> panels [ceil(n / nr)][words][nr], as edgebin/kernels/layout.py does it. Bits of a word are
 * contiguous. */
static void* pack_panels(const uint8_t* rows, size_t n, size_t row_bytes, size_t nr, size_t word_bits) {
  const size_t word_bytes = word_bits < 8 ? 1 : word_bits / 8, words = packed_words(row_bytes, word_bits);
  const size_t panels = (n + nr - 1) / nr;
  uint8_t* packed = guarded_alloc(packed_bytes(n, row_bytes, nr, word_bits), word_bytes);
  for (size_t i = 0; i < panels * nr; i++) {
    for (size_t w = 0; w < words; w++) {
      uint8_t* to = packed + ((i / nr * words + w) * nr + i % nr) * word_bytes;
      if (i >= n) {
        memset(to, 0, word_bytes);
      } else if (word_bits < 8) {
        const size_t bit = w * word_bits, byte = bit / 8;
        const uint8_t* row = rows + i * row_bytes;
        const unsigned bits = row[byte] | (byte + 1 < row_bytes ? (unsigned)row[byte + 1] << 8 : 0);
        *to = (uint8_t)(bits >> (bit % 8) & ((1u << word_bits) - 1));
      } else {
        memcpy(to, rows + i * row_bytes + w * word_bytes, word_bytes);
      }
    }
  }
  return packed;
}

/* Rows of k bits -> panels [ceil(n / nr)][k][nr / 8], bit by bit. */
static void* pack_bit_panels(const uint8_t* rows, size_t n, size_t k, size_t nr) {
  const size_t bytes = (n + nr - 1) / nr * k * nr / 8;
  uint8_t* packed = guarded_alloc(bytes, 1);
  memset(packed, 0, bytes);
  for (size_t i = 0; i < n; i++) {
    for (size_t p = 0; p < k; p++) {
      const size_t bit = (i / nr * k + p) * nr + i % nr;
      if (rows[i * EB_BIT_ROW_BYTES(k) + p / 8] >> (p % 8) & 1) packed[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
  }
  return packed;
}

#endif
