/* One bit of a row of bits, for the scalar kernels. */
#ifndef EDGEBIN_INTERNAL_BIT_H
#define EDGEBIN_INTERNAL_BIT_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

EB_INLINE int eb_bit(const uint8_t* row, size_t index) { return row[index / 8] >> (index % 8) & 1; }

#endif
