/* The table of the AVX2 kernels: for four bits of k and two rows of a, one VPSHUFB of the channels' nibbles gives
 * popcount(a0 ^ w) | popcount(a1 ^ w) << 4. The price is weights of one byte per four bits. */

#define POP4(x) (((x) & 1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1))
#define ENTRY(a, w) (POP4(((a) & 15) ^ (w)) | POP4(((a) >> 4) ^ (w)) << 4)
#define ENTRIES4(a, w) ENTRY(a, w), ENTRY(a, (w) + 1), ENTRY(a, (w) + 2), ENTRY(a, (w) + 3)
#define ROW(a) {ENTRIES4(a, 0), ENTRIES4(a, 4), ENTRIES4(a, 8), ENTRIES4(a, 12)}
#define ROWS4(a) ROW(a), ROW((a) + 1), ROW((a) + 2), ROW((a) + 3)
#define ROWS16(a) ROWS4(a), ROWS4((a) + 4), ROWS4((a) + 8), ROWS4((a) + 12)
#define ROWS64(a) ROWS16(a), ROWS16((a) + 16), ROWS16((a) + 32), ROWS16((a) + 48)

/* [nibble of row 0 | nibble of row 1 << 4][nibble of a channel] */
static const uint8_t kTable[256][16] __attribute__((aligned(64))) = {ROWS64(0), ROWS64(64), ROWS64(128), ROWS64(192)};

/* Rows of kTable for the 16 nibbles of two words; a1 NULL: of one. */
EB_INLINE void pair_index(const uint8_t* a0, const uint8_t* a1, uint8_t* index) {
  uint64_t x0, x1 = 0;
  memcpy(&x0, a0, 8);
  if (a1) memcpy(&x1, a1, 8);
  const uint64_t low_nibbles = 0x0F0F0F0F0F0F0F0F;
  const uint64_t even = (x0 & low_nibbles) | (x1 & low_nibbles) << 4;
  const uint64_t odd = (x0 >> 4 & low_nibbles) | (x1 & ~low_nibbles);
  _mm_storeu_si128((__m128i*)index,
                   _mm_unpacklo_epi8(_mm_cvtsi64_si128((int64_t)even), _mm_cvtsi64_si128((int64_t)odd)));
}
