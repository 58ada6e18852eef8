/* Rows of bits: Larq Compute Engine ends them at 32-bit words, our kernels at 64-bit words. Bits and their order are
 * the same, so a row of an even number of words is both. */
#ifndef EDGEBIN_TFLITE_LCE_BITS_H
#define EDGEBIN_TFLITE_LCE_BITS_H

#include <stddef.h>
#include <stdint.h>

#define LCE_WORDS(bits) (((size_t)(bits) + 31) / 32)

/* Whether rows of that many bits look the same to both. */
int tfl_same_rows(size_t bits);

/* Puts the first `count` bits of `words` into a row from bit `at` on; the row's bits from there on are 0 before. */
void tfl_append_bits(uint8_t* row, size_t at, const uint32_t* words, size_t count);

/* The same for `count` bits that are all 1. */
void tfl_append_ones(uint8_t* row, size_t at, size_t count);

/* Rows of `bits` bits from one form to the other; what lies behind them becomes 0. */
void tfl_to_kernel_rows(const uint32_t* from, uint8_t* to, size_t rows, size_t bits);
void tfl_to_lce_rows(const uint8_t* from, uint32_t* to, size_t rows, size_t bits);

#endif
