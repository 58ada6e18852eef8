/* The look-up tables of neon_tbl: entry i of table a0 | a1 << 5 is popcount(a0 ^ i) | popcount(a1 ^ i) << 4, for five
 * bits of each of two rows and of a channel.
 *
 * 32 KB, half of Cortex-A76's first-level cache, of which a block of rows reads one table of 32 bytes per pair of rows
 * and five bits of k. Tables built per block instead (OR of two tables of 1 KB) would have to be stored, at 6 cycles
 * each on Cortex-A76: 98 * 77 of them are 45000 cycles for 196x384x384, all else is 250000. */
#ifndef EDGEBIN_B1_GEMM_TBL_TABLE_H
#define EDGEBIN_B1_GEMM_TBL_TABLE_H

#include <stdint.h>

#define TBL_BITS 5
#define TBL_ENTRIES (1 << TBL_BITS)

#define ENTRY(a, i) (__builtin_popcount(((a) % 32) ^ (i)) | __builtin_popcount(((a) / 32) ^ (i)) << 4)
#define ENTRIES4(a, i) ENTRY(a, i), ENTRY(a, i + 1), ENTRY(a, i + 2), ENTRY(a, i + 3)
#define ENTRIES16(a, i) ENTRIES4(a, i), ENTRIES4(a, i + 4), ENTRIES4(a, i + 8), ENTRIES4(a, i + 12)
#define TABLE(a) {ENTRIES16(a, 0), ENTRIES16(a, 16)}
#define TABLES4(a) TABLE(a), TABLE(a + 1), TABLE(a + 2), TABLE(a + 3)
#define TABLES16(a) TABLES4(a), TABLES4(a + 4), TABLES4(a + 8), TABLES4(a + 12)
#define TABLES64(a) TABLES16(a), TABLES16(a + 16), TABLES16(a + 32), TABLES16(a + 48)
#define TABLES256(a) TABLES64(a), TABLES64(a + 64), TABLES64(a + 128), TABLES64(a + 192)

static const uint8_t kTables[TBL_ENTRIES * TBL_ENTRIES][TBL_ENTRIES]
    __attribute__((aligned(64))) = {TABLES256(0), TABLES256(256), TABLES256(512), TABLES256(768)};

#undef TABLES256
#undef TABLES64
#undef TABLES16
#undef TABLES4
#undef TABLE
#undef ENTRIES16
#undef ENTRIES4
#undef ENTRY

#endif
