/* Walks the tiles of a binary GEMM on NEON: blocks of rows whose prepared form fits BLOCK_BYTES, then panels.
 *
 * Include after neon_tile.h, neon_counts.h and tile.h with EB_TILE_COLS of 32. */

#define BLOCK_BYTES 16384                         /* prepared rows of a block: half of the smallest first-level cache */
#define LIMIT_ROWS 16                             /* fewer rows do not pay for the search */
#define GROUP_BYTES EB_GROUP_BYTES(EB_TILE_WORDS) /* at most, per plane */

typedef struct {
  const eb_b1_gemm_args* args;
  size_t words, panel_bytes;  /* 64-bit words of k; bytes of a panel */
  size_t planes, group_bytes; /* planes of a; bytes of four prepared rows of one plane */
  size_t passes;              /* 2 where counts are to be doubled, or summed over two planes */
  unsigned stages;
  int in_strips; /* no residual wraps round inside a strip */
  eb_count_scale to_float;
  const eb_count_limits* limits; /* of columns first_col .. ; NULL: there are none */
  size_t first_col;
} product;

EB_NOINLINE void count_again(const product* p, const uint8_t* group, const uint8_t* panel,
                             uint16_t counts[EB_TILE_ROWS][32]) {
  count_tile(group + (p->planes - 1) * p->group_bytes, panel, p->words, 0, counts);
}

/* Counts of four rows and a panel, doubled or of two planes where p says so. */
EB_INLINE void count_group(const product* p, const uint8_t* group, const uint8_t* panel,
                           uint16_t counts[EB_TILE_ROWS][32]) {
  count_tile(group, panel, p->words, 1, counts);
  if (p->passes == 2) count_again(p, group, panel, counts);
}

/* Adds the popcounts of one row to counts. */
static void count_row(const uint8_t* a, const uint8_t* w, size_t words, uint16_t counts[32]) {
  while (words) {
    uint8x16_t sum[4] = {vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0)};
    size_t block = EB_MIN(words, 7);
    words -= block;
    for (; block; block--, a += 8) {
      const uint16x8x4_t x = vld4q_dup_u16((const uint16_t*)(const void*)a);
      EB_UNROLL for (int step = 0; step < 4; step++, w += 64) {
        EB_UNROLL for (int v = 0; v < 4; v++) {
          const uint8x16_t differing = veorq_u8(vreinterpretq_u8_u16(x.val[step]), vld1q_u8(w + 16 * v));
          sum[v] = vaddq_u8(sum[v], vcntq_u8(differing));
        }
      }
    }
    EB_UNROLL for (int v = 0; v < 4; v++) vst1q_u16(counts + 8 * v, vpadalq_u8(vld1q_u16(counts + 8 * v), sum[v]));
  }
}

/* A partial tile, by the epilogue of all paths. Few rows are counted one by one: a whole tile would cost more. */
EB_NOINLINE void partial_tile(const product* p, size_t row, size_t rows, size_t col, const uint8_t* group,
                              const uint8_t* panel) {
  uint16_t counts[EB_TILE_ROWS][EB_TILE_COLS];
  if (3 * rows <= 2 * EB_TILE_ROWS) {
    const uint8_t* planes[2] = {p->args->a, p->args->a2 ? p->args->a2 : p->args->a};
    memset(counts, 0, sizeof(counts));
    for (size_t pass = 0; pass < p->passes; pass++) {
      for (size_t r = 0; r < rows; r++) count_row(planes[pass] + 8 * p->words * (row + r), panel, p->words, counts[r]);
    }
  } else {
    count_group(p, group, panel, counts);
  }
  vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
  for (int r = 0; r < EB_TILE_ROWS; r++) {
    for (int v = 0; v < EB_TILE_VECTORS; v += 2) {
      eb_float_counts(&p->to_float, vld1q_u16(&counts[r][4 * v]), &acc[r][v]);
    }
  }
  eb_epilogue_tile(&p->args->epilogue, p->args->n, row, rows, col, acc[0]);
}

/* Whole tiles of one panel. The epilogue is copied, so that the compiler knows that no store changes it. */
EB_INLINE void whole_tiles(const product* p, const unsigned stages, size_t row, size_t groups, size_t col,
                           const uint8_t* group, const uint8_t* panel) {
  const eb_epilogue epilogue = p->args->epilogue;
  const eb_count_scale to_float = p->to_float;
  const size_t n = p->args->n;
  for (const size_t end = row + EB_TILE_ROWS * groups; row < end;
       row += EB_TILE_ROWS, group += p->planes * p->group_bytes) {
    uint16_t counts[EB_TILE_ROWS][EB_TILE_COLS];
    count_group(p, group, panel, counts);
    for (size_t at = 0; at < EB_TILE_COLS; at += 16) {
      size_t r = 0;
      for (; r + EB_STRIP_ROWS <= EB_TILE_ROWS; r += EB_STRIP_ROWS) {
        eb_count_strip(&epilogue, stages, &to_float, n, row + r, EB_STRIP_ROWS, col + at, &counts[r][at], EB_TILE_COLS);
      }
      if (r < EB_TILE_ROWS) {
        eb_count_strip(&epilogue, stages, &to_float, n, row + r, EB_TILE_ROWS % EB_STRIP_ROWS, col + at, &counts[r][at],
                       EB_TILE_COLS);
      }
    }
  }
}

EB_NOINLINE void affine_tiles(const product* p, size_t row, size_t groups, size_t col, const uint8_t* group,
                              const uint8_t* panel) {
  whole_tiles(p, EB_SCALE | EB_BIAS | EB_OUT, row, groups, col, group, panel);
}

EB_NOINLINE void residual_tiles(const product* p, size_t row, size_t groups, size_t col, const uint8_t* group,
                                const uint8_t* panel) {
  whole_tiles(p, EB_SCALE | EB_BIAS | EB_RESIDUAL | EB_OUT, row, groups, col, group, panel);
}

EB_NOINLINE void other_tiles(const product* p, size_t row, size_t groups, size_t col, const uint8_t* group,
                             const uint8_t* panel) {
  whole_tiles(p, p->stages, row, groups, col, group, panel);
}

EB_NOINLINE void limit_tiles(const product* p, size_t row, size_t groups, size_t col, const uint8_t* group,
                             const uint8_t* panel) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(p->args->n);
  uint8_t* bits = p->args->epilogue.bits[0] + row * row_bytes + col / 8;
  for (size_t g = 0; g < groups; g++, bits += EB_TILE_ROWS * row_bytes, group += p->planes * p->group_bytes) {
    uint16_t counts[EB_TILE_ROWS][EB_TILE_COLS];
    count_group(p, group, panel, counts);
    eb_limit_strip(p->limits, bits, row_bytes, EB_TILE_ROWS, col - p->first_col, counts);
  }
}

static void multiply_block(const product* p, size_t row, size_t rows, size_t col_end, const uint8_t* prepared) {
  const size_t n = p->args->n, groups = rows / EB_TILE_ROWS;
  const uint8_t* panel = (const uint8_t*)p->args->w + p->first_col / EB_TILE_COLS * p->panel_bytes;
  for (size_t col = p->first_col; col < col_end; col += EB_TILE_COLS, panel += p->panel_bytes) {
    size_t done = 0;
    if (p->in_strips && col + EB_TILE_COLS <= n) {
      done = groups;
      if (p->limits) {
        limit_tiles(p, row, groups, col, prepared, panel);
      } else if (p->stages == (EB_SCALE | EB_BIAS | EB_OUT)) {
        affine_tiles(p, row, groups, col, prepared, panel);
      } else if (p->stages == (EB_SCALE | EB_BIAS | EB_RESIDUAL | EB_OUT)) {
        residual_tiles(p, row, groups, col, prepared, panel);
      } else {
        other_tiles(p, row, groups, col, prepared, panel);
      }
    }
    for (; EB_TILE_ROWS * done < rows; done++) {
      partial_tile(p, row + EB_TILE_ROWS * done, EB_MIN(EB_TILE_ROWS, rows - EB_TILE_ROWS * done), col,
                   prepared + done * p->planes * p->group_bytes, panel);
    }
  }
}

/* Rows too deep for 16-bit sums: counts of EB_TILE_WORDS words at a time are added up as floats, exactly. */
static void multiply_deep(const product* p, size_t row, size_t rows) {
  const eb_b1_gemm_args* args = p->args;
  const size_t row_bytes = 8 * p->words;
  const uint8_t* planes[2] = {args->a, args->a2};
  const uint8_t* panel = args->w;
  _Alignas(64) uint8_t prepared[GROUP_BYTES];
  for (size_t col = 0; col < args->n; col += EB_TILE_COLS, panel += p->panel_bytes) {
    vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
    for (int i = 0; i < EB_TILE_ROWS * EB_TILE_VECTORS; i++)
      acc[i / EB_TILE_VECTORS][i % EB_TILE_VECTORS] = vf_set1((float)args->k);
    for (size_t word = 0; word < p->words; word += EB_TILE_WORDS) {
      const size_t words = EB_MIN(p->words - word, EB_TILE_WORDS);
      for (size_t plane = 0; plane < p->planes; plane++) {
        uint16_t counts[EB_TILE_ROWS][EB_TILE_COLS];
        prepare_rows(planes[plane] + row * row_bytes + 8 * word, row_bytes, rows, words, prepared);
        count_tile(prepared, panel + 8 * EB_TILE_COLS * word, words, 1, counts);
        const vf factor = vf_set1(p->planes == 2 ? -1.0f : -2.0f);
        for (int i = 0; i < EB_TILE_ROWS * EB_TILE_VECTORS; i++) {
          vf* to = &acc[i / EB_TILE_VECTORS][i % EB_TILE_VECTORS];
          *to = vf_fma(vcvtq_f32_u32(vmovl_u16(vld1_u16(&counts[0][4 * i]))), factor, *to);
        }
      }
    }
    eb_epilogue_tile(&args->epilogue, args->n, row, rows, col, acc[0]);
  }
}

void EB_SYMBOL(eb_b1_gemm)(const eb_b1_gemm_args* args) {
  const size_t row_bytes = EB_BIT_ROW_BYTES(args->k);
  product p = {.args = args, .words = row_bytes / 8, .planes = args->a2 ? 2 : 1};
  p.panel_bytes = row_bytes * EB_TILE_COLS;
  p.group_bytes = EB_GROUP_BYTES(p.words);
  p.stages = eb_stages_of(&args->epilogue);
  p.passes = args->a2 || args->k % 2 ? 2 : 1;
  p.in_strips = eb_residuals_are_strips(&args->epilogue);
  p.to_float = eb_count_scale_of(args->k, p.passes == 2);

  if (p.words > EB_TILE_WORDS) {
    for (size_t row = 0; row < args->m; row += EB_TILE_ROWS) {
      multiply_deep(&p, row, EB_MIN(EB_TILE_ROWS, args->m - row));
    };
    return;
  }
  eb_count_limits limits;
  size_t cols = args->n;
  if (args->m >= LIMIT_ROWS && eb_has_limits(&args->epilogue, args->n)) {
    p.limits = &limits;
    cols = EB_LIMIT_COLS;
  }
  _Alignas(64) uint8_t prepared[BLOCK_BYTES > 2 * GROUP_BYTES ? BLOCK_BYTES : 2 * GROUP_BYTES];
  const size_t groups = BLOCK_BYTES / (p.planes * p.group_bytes);
  const size_t block_rows = groups > 1 ? EB_TILE_ROWS * groups : EB_TILE_ROWS;
  for (; p.first_col < args->n; p.first_col += cols) {
    const size_t col_end = EB_MIN(p.first_col + cols, args->n);
    if (p.limits) {
      const size_t whole = (col_end - p.first_col) / EB_TILE_COLS * EB_TILE_COLS;
      eb_find_limits(&args->epilogue, &p.to_float, p.passes * args->k, p.first_col, whole, &limits);
    }
    for (size_t row = 0; row < args->m; row += block_rows) {
      const size_t rows = EB_MIN(block_rows, args->m - row);
      uint8_t* to = prepared;
      for (size_t r = 0; r < rows; r += EB_TILE_ROWS) {
        prepare_rows(args->a + (row + r) * row_bytes, row_bytes, rows - r, p.words, to);
        to += p.group_bytes;
        if (args->a2) {
          prepare_rows(args->a2 + (row + r) * row_bytes, row_bytes, rows - r, p.words, to);
          to += p.group_bytes;
        }
      }
      multiply_block(&p, row, rows, col_end, prepared);
    }
  }
  eb_pad_bits(&args->epilogue, args->n, 0, args->m);
}
