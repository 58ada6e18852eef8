/* Transposes an 8 x 64 matrix of bits in two steps, for any machine with vectors of 16 bytes. */
#ifndef EDGEBIN_B1_ATTENTION_TRANSPOSE_H
#define EDGEBIN_B1_ATTENTION_TRANSPOSE_H

#include <stdint.h>
#include <string.h>

#include "../internal/compiler.h"

typedef uint8_t eb_bytes16 __attribute__((vector_size(16)));
typedef uint64_t eb_words2 __attribute__((vector_size(16)));

#ifdef __clang__
#define EB_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define EB_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (eb_bytes16){__VA_ARGS__})
#endif
#define EB_ZIP_LOW1(a, b) EB_SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define EB_ZIP_LOW2(a, b) EB_SHUFFLE(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
#define EB_ZIP_HIGH2(a, b) EB_SHUFFLE(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
#define EB_ZIP_LOW4(a, b) EB_SHUFFLE(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
#define EB_ZIP_HIGH4(a, b) EB_SHUFFLE(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)

/* Byte r of 64-bit lane b of x (two lanes a vector) becomes byte b of row[r]. */
EB_INLINE void eb_transpose_bytes(const uint64_t* row, eb_bytes16* x) {
  eb_bytes16 single[8], pair[4], four[4];
  EB_UNROLL for (int r = 0; r < 8; r++) single[r] = (eb_bytes16)(eb_words2){row[r], 0};
  EB_UNROLL for (int r = 0; r < 4; r++) pair[r] = EB_ZIP_LOW1(single[2 * r], single[2 * r + 1]);
  EB_UNROLL for (int r = 0; r < 2; r++) {
    four[2 * r] = EB_ZIP_LOW2(pair[2 * r], pair[2 * r + 1]);
    four[2 * r + 1] = EB_ZIP_HIGH2(pair[2 * r], pair[2 * r + 1]);
  }
  EB_UNROLL for (int half = 0; half < 2; half++) {
    x[2 * half] = EB_ZIP_LOW4(four[half], four[2 + half]);
    x[2 * half + 1] = EB_ZIP_HIGH4(four[half], four[2 + half]);
  }
}

/* In each 64-bit lane, bit c of byte r becomes bit r of byte c.
 * Source: Warren, Hacker's Delight (2nd ed.), section 7-3, with least significant bits first. */
EB_INLINE eb_bytes16 eb_transpose_bits(eb_bytes16 bytes) {
  static const uint64_t kMask[3] = {0x00AA00AA00AA00AA, 0x0000CCCC0000CCCC, 0x00000000F0F0F0F0};
  eb_words2 x = (eb_words2)bytes;
  EB_UNROLL for (int level = 0; level < 3; level++) {
    const int shift = 7 << level;
    const eb_words2 swap = (x >> shift ^ x) & (eb_words2){kMask[level], kMask[level]};
    x ^= swap ^ swap << shift;
  }
  return (eb_bytes16)x;
}

#endif
