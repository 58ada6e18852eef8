/* Maps times values: context_block's bytes to 32-bit context. Include after planes_bytes.h or planes_nibbles.h. */

EB_INLINE void context_columns(const uint8_t* values, size_t columns, size_t steps, const uint8_t* maps, size_t count,
                               size_t map_stride, const int32_t* ones, int32_t* const* context, size_t at,
                               const int vectors) {
  int first = 1;
  for (size_t map = 0; map < count; map++) {
    for (size_t block = 0; block < steps; block += BYTE_STEPS, first = 0) {
      vu8 sum[ROWS][VU8_TILE];
      context_block(values + block * columns * PLANES, columns, maps + map * map_stride + block, count * map_stride,
                    EB_MIN(BYTE_STEPS, steps - block), sum, vectors);
      EB_UNROLL for (int r = 0; r < ROWS; r++) {
        EB_UNROLL for (int v = 0; v < vectors; v++) {
          int32_t* to = context[r] + at + v * VU8_LANES;
          if (first) {
            vu8_store_less_twice(to, ones[r], sum[r][v]);
          } else {
            vu8_subtract_twice(to, sum[r][v]);
          }
        }
      }
    }
  }
}

/* context[r][c] = ones[r] - 2 * (popcounts of the row's maps & negative columns) */
EB_NOINLINE void context_rows(const uint8_t* values, size_t columns, size_t steps, const uint8_t* maps, size_t count,
                              size_t map_stride, size_t head_dim, const int32_t* ones, int32_t* const context[ROWS]) {
  size_t c = 0;
  for (; c + VU8_TILE * VU8_LANES <= head_dim; c += VU8_TILE * VU8_LANES) {
    context_columns(values + c, columns, steps, maps, count, map_stride, ones, context, c, VU8_TILE);
  }
  for (; c + VU8_LANES <= head_dim; c += VU8_LANES) {
    context_columns(values + c, columns, steps, maps, count, map_stride, ones, context, c, 1);
  }
  if (c < head_dim) {
    int32_t part[ROWS][VU8_LANES], *parts[ROWS];
    for (size_t r = 0; r < ROWS; r++) parts[r] = part[r];
    context_columns(values + c, columns, steps, maps, count, map_stride, ones, parts, 0, 1);
    for (size_t r = 0; r < ROWS; r++) {
      memcpy(context[r] + c, part[r], EB_MIN(VU8_LANES, head_dim - c) * sizeof(int32_t));
    }
  }
}
