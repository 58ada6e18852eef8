/* Popcounts on AVX-512, 32 bits of k per lane: VPXORD, VPOPCNTD, VPADDD per 512 bit products. */

EB_INLINE void count_add(const uint8_t* a, size_t a_row_bytes, const uint8_t* panel, size_t k, const int rows,
                         __m512i sum[][EB_TILE_VECTORS]) {
  for (size_t step = 0; step < EB_CEIL_DIV(k, 32); step++, panel += 64 * EB_TILE_VECTORS) {
    __m512i w[EB_TILE_VECTORS];
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) w[v] = _mm512_loadu_si512(panel + 64 * v);
    EB_UNROLL for (int r = 0; r < rows; r++) {
      int32_t word;
      memcpy(&word, a + (size_t)r * a_row_bytes + 4 * step, sizeof(word));
      const __m512i x = _mm512_set1_epi32(word);
      EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) {
        sum[r][v] = _mm512_add_epi32(sum[r][v], _mm512_popcnt_epi32(_mm512_xor_si512(x, w[v])));
      }
    }
  }
}

EB_INLINE void count_tile(const uint8_t* a, size_t a_row_bytes, const uint8_t* panel, size_t k, const int rows,
                          vf counts[][EB_TILE_VECTORS]) {
  __m512i sum[EB_TILE_ROWS][EB_TILE_VECTORS];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) sum[r][v] = _mm512_setzero_si512();
  }
  count_add(a, a_row_bytes, panel, k, rows, sum);
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) counts[r][v] = _mm512_cvtepi32_ps(sum[r][v]);
  }
}
