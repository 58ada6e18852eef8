/* The map of all tokens whose agree is at least a threshold. Include after a simd/u8_*.h. */
#ifndef EDGEBIN_B1_ATTENTION_THRESHOLD_MAP_H
#define EDGEBIN_B1_ATTENTION_THRESHOLD_MAP_H

#include <string.h>

/* Returns its popcount. */
EB_INLINE int32_t eb_threshold_map(const uint8_t* agree, uint8_t threshold, size_t nkv, uint8_t* map) {
  int32_t ones = 0;
  for (size_t token = 0; token < nkv; token += 64) {
    uint64_t word = vu8_at_least_bits(agree + token, threshold);
    if (nkv - token < 64) word &= ((uint64_t)1 << (nkv - token)) - 1;
    memcpy(map + token / 8, &word, sizeof(word));
    ones += __builtin_popcountll(word);
  }
  return ones;
}

#endif
