#include "lce_bits.h"

#include <string.h>

#include "edgebin.h"

int tfl_same_rows(size_t bits) { return LCE_WORDS(bits) % 2 == 0; }

/* Sets bits at .. at + 31 of a row to those of `word` where that has ones; bytes behind its last one are not touched.
 */
static void or_word(uint8_t* row, size_t at, uint32_t word) {
  uint64_t shifted = (uint64_t)word << (at % 8);
  for (uint8_t* byte = row + at / 8; shifted; byte++, shifted >>= 8) *byte |= (uint8_t)shifted;
}

static uint32_t low_bits(size_t count) { return count >= 32 ? UINT32_MAX : ((uint32_t)1 << count) - 1; }

void tfl_append_bits(uint8_t* row, size_t at, const uint32_t* words, size_t count) {
  if (at % 8 == 0 && count % 32 == 0) {
    memcpy(row + at / 8, words, count / 8);
    return;
  }
  for (size_t done = 0; done < count; done += 32) or_word(row, at + done, words[done / 32] & low_bits(count - done));
}

void tfl_append_ones(uint8_t* row, size_t at, size_t count) {
  for (size_t done = 0; done < count; done += 32) or_word(row, at + done, low_bits(count - done));
}

void tfl_to_kernel_rows(const uint32_t* from, uint8_t* to, size_t rows, size_t bits) {
  const size_t words = LCE_WORDS(bits), bytes = EB_BIT_ROW_BYTES(bits);
  for (size_t i = 0; i < rows; i++, from += words, to += bytes) {
    memcpy(to, from, words * sizeof *from);
    memset(to + words * sizeof *from, 0, bytes - words * sizeof *from);
  }
}

void tfl_to_lce_rows(const uint8_t* from, uint32_t* to, size_t rows, size_t bits) {
  const size_t words = LCE_WORDS(bits), bytes = EB_BIT_ROW_BYTES(bits);
  for (size_t i = 0; i < rows; i++, from += bytes, to += words) memcpy(to, from, words * sizeof *to);
}
