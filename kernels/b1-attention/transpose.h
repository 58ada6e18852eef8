/* Transposes a 64 x 64 matrix of bits in place: bit c of word r becomes bit r of word c. */
#ifndef EDGEBIN_B1_ATTENTION_TRANSPOSE_H
#define EDGEBIN_B1_ATTENTION_TRANSPOSE_H

#include <stddef.h>
#include <stdint.h>

/* Source: Warren, Hacker's Delight (2nd ed.), section 7-3, with least significant bits first. */
static inline void eb_transpose64(uint64_t* x) {
  uint64_t mask = 0x00000000FFFFFFFF;
  for (size_t j = 32; j; j >>= 1, mask ^= mask << j) {
    for (size_t base = 0; base < 64; base += 2 * j) {
      for (size_t r = base; r < base + j; r++) {
        const uint64_t swap = (x[r] >> j ^ x[r + j]) & mask;
        x[r] ^= swap << j;
        x[r + j] ^= swap;
      }
    }
  }
}

#endif
