#include "values.h"

#include "../runtime/fail.h"
#include "edgebin.h"

static uint64_t state;

void eb_values_restart(void) { state = 0; }

/* splitmix64 */
static uint64_t next_u64(void) {
  uint64_t z = (state += 0x9E3779B97F4A7C15);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

float* eb_random_floats(size_t count) {
  float* values = eb_allocate_aligned(count * sizeof(float));
  for (size_t i = 0; i < count; i++) values[i] = (float)(int32_t)(uint32_t)next_u64() * 0x1p-30f;
  return values;
}

uint8_t* eb_random_bits(size_t rows, size_t k) {
  const size_t words = EB_BIT_ROW_BYTES(k) / 8;
  uint64_t* bits = eb_allocate_aligned(rows * words * 8);
  for (size_t i = 0; i < rows * words; i++) {
    const size_t first = i % words * 64;
    bits[i] = next_u64();
    if (first + 64 > k) bits[i] &= ((uint64_t)1 << (k - first)) - 1;
  }
  return (uint8_t*)bits;
}
