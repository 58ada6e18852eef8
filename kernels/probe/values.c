#include "values.h"

#include <string.h>

#include "../runtime/fail.h"
#include "edgebin.h"

static uint64_t state;

void eb_values_restart(void) { state = 0; }

/* splitmix64 */
static uint64_t next_u64(void) {
  uint64_t z = (state += 0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

float* eb_random_floats(size_t count) {
  float* values = eb_allocate_aligned(count * sizeof(float));
  for (size_t i = 0; i < count; i++) values[i] = (float)(int32_t)(uint32_t)next_u64() * 0x1p-30f;
  return values;
}

uint8_t* eb_random_bits(size_t rows, size_t k) {
  const size_t words = EB_BIT_ROW_BYTES(k) / 8;
  uint64_t* bits = eb_allocate_aligned(rows * words * 8);
  for (size_t i = 0; i < rows * words; i++) {
    const size_t first = i % words * 64;
    bits[i] = next_u64();
    if (first + 64 > k) bits[i] &= ((uint64_t)1 << (k - first)) - 1;
  }
  return (uint8_t*)bits;
}

void* eb_pack_panels(const void* rows, size_t n, size_t row_bytes, const eb_variant* variant, size_t* bytes) {
  const size_t nr = variant->nr, word_bits = variant->word_bits;
  const size_t word_bytes = word_bits < 8 ? 1 : word_bits / 8, words = (row_bytes * 8 + word_bits - 1) / word_bits;
  const size_t total = (n + nr - 1) / nr * nr * words * word_bytes;
  uint8_t* packed = eb_allocate_aligned(total);
  for (size_t i = 0; i < n; i++) {
    const uint8_t* row = (const uint8_t*)rows + i * row_bytes;
    for (size_t w = 0; w < words; w++) {
      uint8_t* to = packed + ((i / nr * words + w) * nr + i % nr) * word_bytes;
      const size_t bit = w * word_bits, byte = bit / 8;
      if (word_bits < 8) {
        const unsigned bits = row[byte] | (byte + 1 < row_bytes ? (unsigned)row[byte + 1] << 8 : 0);
        *to = (uint8_t)(bits >> (bit % 8) & ((1u << word_bits) - 1));
      } else {
        memcpy(to, row + byte, word_bytes);
      }
    }
  }
  if (bytes) *bytes = total;
  return packed;
}

void* eb_pack_bit_panels(const uint8_t* rows, size_t n, size_t k, const eb_variant* variant) {
  const size_t nr = variant->nr;
  uint8_t* packed = eb_allocate_aligned((n + nr - 1) / nr * k * nr / 8);
  for (size_t i = 0; i < n; i++) {
    for (size_t p = 0; p < k; p++) {
      const size_t bit = (i / nr * k + p) * nr + i % nr;
      if (rows[i * EB_BIT_ROW_BYTES(k) + p / 8] >> (p % 8) & 1) packed[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
  }
  return packed;
}
