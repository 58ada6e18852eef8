/* Sums exp_table[agree] by plain look-ups, with four sums in flight to hide the latency of the loads. */
#include <string.h>

typedef const int64_t* exp_sum;

EB_INLINE exp_sum exp_sum_of(const int64_t* table, size_t head_dim) {
  (void)head_dim;
  return table;
}

EB_INLINE int64_t exp_sum_row(const exp_sum* sum, const uint8_t* agree, size_t tokens) {
  const int64_t* table = *sum;
  int64_t z[4] = {0};
  size_t j = 0;
  for (; j + 8 <= tokens; j += 8) {
    uint64_t eight;
    memcpy(&eight, agree + j, sizeof(eight));
    EB_UNROLL for (int i = 0; i < 8; i++) z[i % 4] += table[eight >> (8 * i) & 255];
  }
  for (; j < tokens; j++) z[0] += table[agree[j]];
  return z[0] + z[1] + z[2] + z[3];
}
