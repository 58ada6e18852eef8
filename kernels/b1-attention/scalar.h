/* The two ends of every scalar attention: counting where signs agree, and adding up the values that a map keeps. */
#ifndef EDGEBIN_B1_ATTENTION_SCALAR_H
#define EDGEBIN_B1_ATTENTION_SCALAR_H

#include <string.h>

#include "../internal/bit.h"
#include "edgebin.h"

/* Of columns first .. first+count-1. */
EB_INLINE uint8_t eb_agreeing(const uint8_t* q, const uint8_t* k, size_t first, size_t count) {
  uint8_t agree = 0;
  for (size_t c = first; c < first + count; c++) agree += eb_bit(q, c) == eb_bit(k, c);
  return agree;
}

EB_INLINE void eb_add_values(int32_t* context, const uint8_t* v, size_t first, size_t count) {
  for (size_t c = 0; c < count; c++) context[c] += eb_bit(v, first + c) ? -1 : 1;
}

#endif
