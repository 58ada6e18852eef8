/* Signs times bytes by table look-up: for four steps of k and one row, a table of 16 entries says what the bytes under
 * each choice of set bits add up to, and one look-up by the channels' nibbles gives 16 (32, 64) channels their sums.
 *
 *   entry[bits] = 512 + sum of a[p] over set bits        0 .. 1020, kept as low 5 bits and high 5 bits
 *   acc = total + 1024 * groups - 2 * sum of entries     for the sum of +-a is the total less twice what is negative
 *
 * Eight entries of 5 bits add up to 248, so bytes are summed over a step of 8 groups (32 of k) and only then widened: 2
 * look-ups and 2 additions of bytes per vector of channels and group. 8 steps fill 16 bits (65472), then 32 bits
 * follow. Tables of TILE_ROWS rows lie in the workspace, [group][row][low 16, high 16] bytes, and serve all panels;
 * what lies beyond k is 0 in a.
 *
 * The variant that includes this has defined EB_TILE_VECTORS (a panel is EB_TILE_COLS channels of nibbles, a byte each)
 * and included tables.h and one lanes_*.h.
 */
#define CHUNK_STEPS 8
#define BYTE_VECTORS (EB_TILE_COLS / BYTE_LANES)

EB_INLINE size_t step_count(size_t k) { return EB_CEIL_DIV(k, 4 * STEP_GROUPS); }

/* One group of 4 of k; the first of a step needs no sums yet. */
EB_INLINE void sum_group(const uint8_t* tables, const uint8_t* panel, const int rows, const int first,
                         bytes low[][BYTE_VECTORS], bytes high[][BYTE_VECTORS]) {
  bytes w[BYTE_VECTORS];
  EB_UNROLL for (int v = 0; v < BYTE_VECTORS; v++) w[v] = bytes_load(panel + v * BYTE_LANES);
  EB_UNROLL for (int r = 0; r < rows; r++) {
    const bytes t_low = table_load(tables + r * TABLE_BYTES), t_high = table_load(tables + r * TABLE_BYTES + 16);
    EB_UNROLL for (int v = 0; v < BYTE_VECTORS; v++) {
      low[r][v] = first ? look_up(t_low, w[v]) : bytes_add(low[r][v], look_up(t_low, w[v]));
      high[r][v] = first ? look_up(t_high, w[v]) : bytes_add(high[r][v], look_up(t_high, w[v]));
    }
  }
}

EB_INLINE void sum_step(const uint8_t* tables, const uint8_t* panel, const int rows, bytes low[][BYTE_VECTORS],
                        bytes high[][BYTE_VECTORS]) {
  sum_group(tables, panel, rows, 1, low, high);
  for (int g = 1; g < STEP_GROUPS; g++) {
    sum_group(tables + g * GROUP_BYTES, panel + g * EB_TILE_COLS, rows, 0, low, high);
  }
}

/* sums: of entries, rows x EB_TILE_COLS. */
EB_INLINE void sum_tile(const uint8_t* tables, const uint8_t* panel, size_t steps, const int rows,
                        uint32_t sums[][EB_TILE_COLS]) {
  words32 wide[TILE_ROWS][BYTE_VECTORS][4];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < BYTE_VECTORS; v++) words32_clear(wide[r][v]);
  }
  while (steps) {
    const size_t chunk = EB_MIN(steps, CHUNK_STEPS);
    words16 half[TILE_ROWS][BYTE_VECTORS][2];
    EB_UNROLL for (int r = 0; r < rows; r++) {
      EB_UNROLL for (int v = 0; v < BYTE_VECTORS; v++) words16_clear(half[r][v]);
    }
    for (size_t step = 0; step < chunk; step++) {
      bytes low[TILE_ROWS][BYTE_VECTORS], high[TILE_ROWS][BYTE_VECTORS];
      sum_step(tables, panel, rows, low, high);
      tables += STEP_GROUPS * GROUP_BYTES;
      panel += STEP_GROUPS * EB_TILE_COLS;
      EB_UNROLL for (int r = 0; r < rows; r++) {
        EB_UNROLL for (int v = 0; v < BYTE_VECTORS; v++) words16_add_entries(half[r][v], low[r][v], high[r][v]);
      }
    }
    EB_UNROLL for (int r = 0; r < rows; r++) {
      EB_UNROLL for (int v = 0; v < BYTE_VECTORS; v++) words32_add(wide[r][v], half[r][v]);
    }
    steps -= chunk;
  }
  EB_UNROLL for (int r = 0; r < rows; r++) {
    EB_UNROLL for (int v = 0; v < BYTE_VECTORS; v++) words32_store(sums[r] + v * BYTE_LANES, wide[r][v]);
  }
}

EB_INLINE void gemm_tile(const eb_w1i8_gemm_args* args, const uint8_t* tables, const int32_t* base, size_t row,
                         const int rows, size_t col, const uint8_t* panel) {
  uint32_t sums[TILE_ROWS][EB_TILE_COLS];
  sum_tile(tables, panel, step_count(args->k), rows, sums);
  vf acc[TILE_ROWS][EB_TILE_VECTORS];
  int32_t signed_sums[EB_TILE_COLS];
  EB_UNROLL for (int r = 0; r < rows; r++) {
    for (int j = 0; j < EB_TILE_COLS; j++) signed_sums[j] = base[r] - 2 * (int32_t)sums[r][j];
    const vf scale = vf_set1(args->row_scale ? args->row_scale[row + (size_t)r] : 1.0f);
    EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) {
      acc[r][v] = vf_mul(vf_load_i32(signed_sums + v * VF_LANES), scale);
    }
  }
  eb_epilogue_tile(&args->epilogue, args->n, row, (size_t)rows, col, acc[0]);
}

/* The tables of one row; returns what acc starts from. */
static int32_t build_row(const int8_t* a, size_t k, uint8_t* tables) {
  int32_t total = 0;
  for (size_t p = 0; p < k; p++) total += a[p];
  size_t p = 0;
  for (; p + 4 * STEP_GROUPS <= k; p += 4 * STEP_GROUPS, tables += STEP_GROUPS * GROUP_BYTES) build_step(a + p, tables);
  if (p < k) {
    int8_t rest[4 * STEP_GROUPS] = {0};
    memcpy(rest, a + p, k - p);
    build_step(rest, tables);
  }
  return total + (int32_t)(1024 * STEP_GROUPS * step_count(k));
}

size_t EB_SYMBOL(eb_w1i8_gemm_workspace)(const eb_w1i8_gemm_args* args) {
  return step_count(args->k) * STEP_GROUPS * GROUP_BYTES;
}

void EB_SYMBOL(eb_w1i8_gemm)(const eb_w1i8_gemm_args* args) {
  const size_t panel_bytes = EB_BIT_ROW_BYTES(args->k) * 2 * EB_TILE_COLS;
  uint8_t* tables = args->workspace;
  int32_t base[TILE_ROWS];
  for (size_t row = 0; row < args->m; row += TILE_ROWS) {
    const size_t rows = EB_MIN(args->m - row, TILE_ROWS);
    for (size_t r = 0; r < rows; r++) {
      base[r] = build_row(args->a + (row + r) * args->k, args->k, tables + r * TABLE_BYTES);
    }
    const uint8_t* panel = args->w;
    for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += panel_bytes) {
      if (rows == TILE_ROWS) {
        gemm_tile(args, tables, base, row, TILE_ROWS, col, panel);
      } else {
        for (size_t r = 0; r < rows; r++) {
          gemm_tile(args, tables + r * TABLE_BYTES, base + r, row + r, 1, col, panel);
        }
      }
    }
  }
}
