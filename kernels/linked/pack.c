#include "pack.h"

#include <string.h>

#include "edgebin.h"

static size_t words_of(size_t row_bytes, const eb_variant* variant) {
  return (row_bytes * 8 + variant->word_bits - 1) / variant->word_bits;
}

static size_t word_bytes_of(const eb_variant* variant) { return variant->word_bits < 8 ? 1 : variant->word_bits / 8; }

static size_t whole_panels(size_t n, const eb_variant* variant) {
  return (n + variant->nr - 1) / variant->nr * variant->nr;
}

size_t eb_panel_bytes(size_t n, size_t row_bytes, const eb_variant* variant) {
  return whole_panels(n, variant) * words_of(row_bytes, variant) * word_bytes_of(variant);
}

void eb_pack_panels(const void* rows, size_t n, size_t row_bytes, const eb_variant* variant, void* panels) {
  const size_t nr = variant->nr, word_bits = variant->word_bits;
  const size_t word_bytes = word_bytes_of(variant), words = words_of(row_bytes, variant);
  for (size_t i = 0; i < n; i++) {
    const uint8_t* row = (const uint8_t*)rows + i * row_bytes;
    for (size_t w = 0; w < words; w++) {
      uint8_t* to = (uint8_t*)panels + ((i / nr * words + w) * nr + i % nr) * word_bytes;
      const size_t bit = w * word_bits, byte = bit / 8;
      if (word_bits < 8) {
        const unsigned bits = row[byte] | (byte + 1 < row_bytes ? (unsigned)row[byte + 1] << 8 : 0);
        *to = (uint8_t)(bits >> (bit % 8) & ((1u << word_bits) - 1));
      } else {
        memcpy(to, row + byte, word_bytes);
      }
    }
  }
}

size_t eb_bit_panel_bytes(size_t n, size_t k, const eb_variant* variant) { return whole_panels(n, variant) * k / 8; }

void eb_pack_bit_panels(const uint8_t* rows, size_t n, size_t k, const eb_variant* variant, void* panels) {
  const size_t nr = variant->nr;
  uint8_t* bytes = panels;
  for (size_t i = 0; i < n; i++) {
    for (size_t p = 0; p < k; p++) {
      const size_t bit = (i / nr * k + p) * nr + i % nr;
      if (rows[i * EB_BIT_ROW_BYTES(k) + p / 8] >> (p % 8) & 1) bytes[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
  }
}

size_t eb_group_panel_bytes(size_t n, size_t row_bytes, size_t groups, const eb_variant* variant) {
  return groups * eb_panel_bytes(n / groups, row_bytes, variant);
}

void eb_pack_group_panels(const uint8_t* rows, size_t n, size_t row_bytes, size_t groups, const eb_variant* variant,
                          void* panels) {
  const size_t count = n / groups, bytes = eb_panel_bytes(count, row_bytes, variant);
  for (size_t g = 0; g < groups; g++) {
    eb_pack_panels(rows + g * count * row_bytes, count, row_bytes, variant, (uint8_t*)panels + g * bytes);
  }
}
