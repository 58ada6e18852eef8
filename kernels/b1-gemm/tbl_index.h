/* Which table of tbl_table.h each five bits of a pair of rows ask for, as byte offsets. */
#ifndef EDGEBIN_B1_GEMM_TBL_INDEX_H
#define EDGEBIN_B1_GEMM_TBL_INDEX_H

#include <arm_neon.h>
#include <stddef.h>
#include <string.h>

#include "../internal/compiler.h"
#include "tbl_table.h"

#define TBL_GROUPS(row_bytes) EB_CEIL_DIV((row_bytes) * 8, TBL_BITS)
#define TBL_INDEX_STEP 8 /* groups that are made at once: they take 5 bytes of a row */

/* Eight bytes of a row from byte `at` on, zeros past its end; a row has 8 bytes at least. */
EB_INLINE uint8x16_t tbl_load_bytes(const uint8_t* row, size_t row_bytes, size_t at) {
  const size_t from = EB_MIN(at, row_bytes - 8);
  uint64_t bytes;
  memcpy(&bytes, row + from, sizeof(bytes));
  return vcombine_u8(vcreate_u8(bytes >> (8 * (at - from))), vcreate_u8(0));
}

/* Writes TBL_GROUPS(row_bytes) offsets, rounded up to whole steps. */
EB_INLINE void tbl_index_pair(const uint8_t* row0, const uint8_t* row1, size_t row_bytes, uint16_t* index) {
  /* Group j begins in byte 5j / 8 at bit 5j % 8; offset = 32 * (group of row0 | group of row1 << 5) */
  static const uint8_t kBytes[16] = {0, 1, 0, 1, 1, 2, 1, 2, 2, 3, 3, 4, 3, 4, 4, 5};
  static const int16_t kShift[8] = {5 - 0, 5 - 5, 5 - 2, 5 - 7, 5 - 4, 5 - 1, 5 - 6, 5 - 3};
  const uint8x16_t bytes = vld1q_u8(kBytes);
  const int16x8_t shift0 = vld1q_s16(kShift), shift1 = vaddq_s16(shift0, vdupq_n_s16(5));
  for (size_t at = 0; at < row_bytes; at += TBL_BITS, index += TBL_INDEX_STEP) {
    const uint8x16_t lanes0 = vqtbl1q_u8(tbl_load_bytes(row0, row_bytes, at), bytes);
    const uint8x16_t lanes1 = vqtbl1q_u8(tbl_load_bytes(row1, row_bytes, at), bytes);
    const uint16x8_t group0 = vandq_u16(vshlq_u16(vreinterpretq_u16_u8(lanes0), shift0), vdupq_n_u16(31 << 5));
    const uint16x8_t group1 = vshlq_u16(vreinterpretq_u16_u8(lanes1), shift1);
    vst1q_u16(index, vbslq_u16(vdupq_n_u16(31 << 10), group1, group0));
  }
}

#endif
