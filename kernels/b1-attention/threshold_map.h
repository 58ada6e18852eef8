/* The map of all tokens whose agree is at least a threshold. Include after a simd/u8_*.h. */
#ifndef EDGEBIN_B1_ATTENTION_THRESHOLD_MAP_H
#define EDGEBIN_B1_ATTENTION_THRESHOLD_MAP_H

#include <stddef.h>

/* Byte j of a map has the tokens j, steps + j, 2 * steps + j ...; `valid` has ones where there is such a token. A row
 * of agree may be read and written for VU8_LANES bytes past 8 * steps. */
typedef struct {
  size_t nkv, steps, stride; /* stride: bytes from map to map, whole vectors */
  uint8_t* valid;
} map_layout;

/* Returns its popcount. */
EB_INLINE int32_t eb_threshold_map(const uint8_t* agree, uint8_t threshold, const map_layout* layout, uint8_t* map) {
  const vu8 limit = vu8_set1(threshold);
  int32_t ones = 0;
  for (size_t step = 0; step < layout->steps; step += VU8_LANES) {
    const uint8_t* at = agree + step;
    vu8 bits = vu8_set1(0);
    EB_UNROLL for (int bit = 0; bit < 8; bit++, at += layout->steps) {
      bits = vu8_put_at_least(bits, bit, vu8_load(at), limit);
    }
    bits = vu8_and(bits, vu8_load(layout->valid + step));
    vu8_store(map + step, bits);
    ones += vu8_popcount_across(bits);
  }
  return ones;
}

#endif
