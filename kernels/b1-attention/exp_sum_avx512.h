/* Sums exp_table[agree] 64 entries at once: VPERMI2B looks them up, byte plane by byte plane. */

/* exp_table by byte planes: plane p holds byte p of every entry. The last entry is left 0: padding tokens look there.
 */
#define TABLE_ENTRIES 128

typedef struct {
  const int64_t* table;
  int planes; /* bytes that any entry needs; 0: the table is too long for the planes */
  __m512i plane[8][2];
} exp_sum;

static exp_sum exp_sum_of(const int64_t* table, size_t head_dim) {
  exp_sum sum = {.table = table};
  if (head_dim + 1 >= TABLE_ENTRIES) return sum;
  uint8_t bytes[8][TABLE_ENTRIES] = {{0}};
  int64_t any = 1;
  for (size_t i = 0; i <= head_dim; i++) {
    any |= table[i];
    for (int p = 0; p < 8; p++) bytes[p][i] = (uint8_t)((uint64_t)table[i] >> (8 * p));
  }
  sum.planes = 8 - __builtin_clzll((uint64_t)any) / 8;
  for (int p = 0; p < sum.planes; p++) {
    for (int half = 0; half < 2; half++) sum.plane[p][half] = _mm512_loadu_si512(bytes[p] + 64 * half);
  }
  return sum;
}

static int64_t exp_sum_row(const exp_sum* sum, const uint8_t* agree, size_t tokens) {
  int64_t z = 0;
  if (sum->planes == 0) {
    for (size_t j = 0; j < tokens; j++) z += sum->table[agree[j]];
    return z;
  }
  for (int p = 0; p < sum->planes; p++) {
    __m512i bytes = _mm512_setzero_si512();
    for (size_t j = 0; j < tokens; j += 64) {
      __m512i index = vu8_load(agree + j);
      if (tokens - j < 64) {
        index = _mm512_mask_mov_epi8(vu8_set1(TABLE_ENTRIES - 1), ((__mmask64)1 << (tokens - j)) - 1, index);
      }
      const __m512i entry = _mm512_permutex2var_epi8(sum->plane[p][0], index, sum->plane[p][1]);
      bytes = _mm512_add_epi64(bytes, _mm512_sad_epu8(entry, _mm512_setzero_si512()));
    }
    z += _mm512_reduce_add_epi64(bytes) << (8 * p);
  }
  return z;
}
