/* Popcounts on NEON with UDOT, 32 bits of k per lane: EOR, CNT, UDOT with ones per 128 bit products. UDOT adds the four
 * byte counts of a channel into its 32-bit sum, so nothing overflows and nothing is left to reduce. */
#define EB_PANEL_BYTES_PER_BYTE 1

EB_INLINE void count_tile(const uint8_t* a, size_t a_row_bytes, const uint8_t* panel, size_t k, const int rows,
                          vf counts[][EB_TILE_VECTORS]) {
  const uint8x16_t ones = vdupq_n_u8(1);
  uint32x4_t sum[EB_TILE_ROWS][EB_TILE_VECTORS];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) sum[r][v] = vdupq_n_u32(0);
  }
  for (size_t step = 0; step < EB_CEIL_DIV(k, 32); step++, panel += 16 * EB_TILE_VECTORS) {
    uint8x16_t w[EB_TILE_VECTORS];
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) w[v] = vld1q_u8(panel + 16 * v);
    EB_UNROLL for (int r = 0; r < rows; r++) {
      uint32_t word;
      memcpy(&word, a + (size_t)r * a_row_bytes + 4 * step, sizeof(word));
      const uint8x16_t x = vreinterpretq_u8_u32(vdupq_n_u32(word));
      EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) {
        sum[r][v] = vdotq_u32(sum[r][v], vcntq_u8(veorq_u8(x, w[v])), ones);
      }
    }
  }
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) counts[r][v] = vcvtq_f32_u32(sum[r][v]);
  }
}
