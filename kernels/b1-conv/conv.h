/* Binary convolution by the tile of the binary GEMM.
 *
 * For BLOCK pixels at a time, the bits under the taps are gathered into one row of k bits per pixel and group; rows
 * times panels give accumulators, [pixel][n] floats in the first-level cache; then each pixel's row goes through the
 * epilogue. Taps outside the image are gathered as 0, which is +1: what they added, the sum of the tap's weights, is
 * taken away again. Those sums come from the same tile: a row with ones under one tap alone differs by twice the sum.
 *
 * The variant that includes this has defined EB_TILE_VECTORS, EB_TILE_ROWS (a divisor of BLOCK) and count_tile, as
 * b1-gemm/gemm.h says.
 */
#include <string.h>

#define BLOCK 16

typedef struct {
  const eb_b1_conv_args* args;
  size_t taps, channels, k; /* channels: of a group */
  size_t pixel_bytes, row_bytes;
  uint8_t* bits;   /* [groups][BLOCK][row_bytes] */
  uint8_t* blank;  /* a pixel of zeros */
  uint8_t* filled; /* a pixel of ones */
  float* acc;      /* [BLOCK][n] */
  float* tap_sums; /* [taps + 1][n] */
  size_t workspace_bytes;
} convolution;

static convolution convolution_of(const eb_b1_conv_args* args) {
  convolution c = {.args = args, .taps = args->kernel * args->kernel, .channels = args->c / args->groups};
  c.k = c.taps * c.channels;
  c.pixel_bytes = EB_BIT_ROW_BYTES(args->c);
  c.row_bytes = EB_BIT_ROW_BYTES(c.k);
  const size_t bits_bytes = args->groups * BLOCK * c.row_bytes, acc_bytes = BLOCK * args->n * sizeof(float);
  c.workspace_bytes = bits_bytes + 2 * c.pixel_bytes + acc_bytes + (c.taps + 1) * args->n * sizeof(float);
  return c;
}

static void place(convolution* c) {
  c->bits = c->args->workspace;
  c->blank = c->bits + c->args->groups * BLOCK * c->row_bytes;
  c->filled = c->blank + c->pixel_bytes;
  c->acc = (float*)(c->filled + c->pixel_bytes);
  c->tap_sums = c->acc + BLOCK * c->args->n;
  memset(c->bits, 0, c->args->groups * BLOCK * c->row_bytes);
  memset(c->blank, 0, c->pixel_bytes);
  memset(c->filled, 0xFF, c->pixel_bytes);
}

EB_INLINE void copy_bits(uint8_t* to, size_t to_bit, const uint8_t* from, size_t from_bit, size_t count) {
  for (size_t i = 0; i < count; i++, to_bit++, from_bit++) {
    const uint8_t bit = from[from_bit / 8] >> (from_bit % 8) & 1;
    to[to_bit / 8] = (uint8_t)((to[to_bit / 8] & ~(1u << to_bit % 8)) | (unsigned)bit << to_bit % 8);
  }
}

/* Spreads a pixel's bits over the groups' rows of one slot of the block. bytes: of a group, 0 if they are not whole. */
EB_INLINE void put_tap(const convolution* c, size_t slot, size_t tap, const uint8_t* pixel, const size_t bytes) {
  uint8_t* to = c->bits + slot * c->row_bytes;
  for (size_t g = 0; g < c->args->groups; g++, to += BLOCK * c->row_bytes) {
    if (bytes) {
      memcpy(to + tap * bytes, pixel + g * bytes, bytes);
    } else {
      copy_bits(to, tap * c->channels, pixel, g * c->channels, c->channels);
    }
  }
}

EB_INLINE int gather_pixel(const convolution* c, size_t slot, size_t y, size_t x, const size_t bytes) {
  const eb_b1_conv_args* args = c->args;
  const size_t reach = args->kernel / 2 * args->dilation;
  int outside = 0;
  for (size_t ky = 0, tap = 0; ky < args->kernel; ky++) {
    /* Unsigned: a tap before the first row or column wraps round to a number that is too large. */
    const size_t row = y + ky * args->dilation - reach;
    for (size_t kx = 0; kx < args->kernel; kx++, tap++) {
      const size_t col = x + kx * args->dilation - reach;
      const int inside = row < args->h && col < args->w;
      put_tap(c, slot, tap, inside ? args->a + (row * args->w + col) * c->pixel_bytes : c->blank, bytes);
      outside |= !inside;
    }
  }
  return outside;
}

/* Returns whether any tap lies outside the image. The constants make a move of each copy. */
static int gather(const convolution* c, size_t slot, size_t y, size_t x) {
  if (c->channels == 16) return gather_pixel(c, slot, y, x, 2);
  if (c->channels == 32) return gather_pixel(c, slot, y, x, 4);
  return gather_pixel(c, slot, y, x, c->channels % 8 ? 0 : c->channels / 8);
}

EB_INLINE void load_row(vf* v, const float* p, size_t count) {
  float copy[EB_TILE_COLS] = {0};
  if (count < EB_TILE_COLS) p = memcpy(copy, p, count * sizeof(float));
  EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) v[i] = vf_load(p + i * VF_LANES);
}

EB_INLINE void store_row(float* p, const vf* v, size_t count) {
  if (count == EB_TILE_COLS) {
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) vf_store(p + i * VF_LANES, v[i]);
  } else {
    float copy[EB_TILE_COLS];
    EB_UNROLL for (int i = 0; i < EB_TILE_VECTORS; i++) vf_store(copy + i * VF_LANES, v[i]);
    memcpy(p, copy, count * sizeof(float));
  }
}

/* Accumulators of the first `slots` slots. */
static void multiply(const convolution* c, size_t slots) {
  const size_t n = c->args->n, group_cols = n / c->args->groups;
  const uint8_t* panel = c->args->weights;
  const vf minus_two = vf_set1(-2.0f), k = vf_set1((float)c->k);
  for (size_t g = 0; g < c->args->groups; g++) {
    for (size_t col = 0; col < group_cols; col += EB_TILE_COLS) {
      const size_t count = EB_MIN(EB_TILE_COLS, group_cols - col);
      for (size_t slot = 0; slot < slots; slot += EB_TILE_ROWS) {
        vf acc[EB_TILE_ROWS][EB_TILE_VECTORS];
        count_tile(c->bits + (g * BLOCK + slot) * c->row_bytes, c->row_bytes, panel, c->k, EB_TILE_ROWS, acc);
        EB_UNROLL for (int r = 0; r < EB_TILE_ROWS; r++) {
          EB_UNROLL for (int v = 0; v < EB_TILE_VECTORS; v++) acc[r][v] = vf_fma(acc[r][v], minus_two, k);
          store_row(c->acc + (slot + (size_t)r) * n + g * group_cols + col, acc[r], count);
        }
      }
      panel += c->row_bytes * EB_TILE_COLS * EB_PANEL_BYTES_PER_BYTE;
    }
  }
}

static void sum_taps(const convolution* c) {
  const size_t n = c->args->n;
  for (size_t first = 0; first <= c->taps; first += BLOCK) {
    const size_t slots = EB_MIN(BLOCK, c->taps + 1 - first);
    for (size_t slot = 0; slot < slots; slot++) {
      for (size_t tap = 0; tap < c->taps; tap++) {
        put_tap(c, slot, tap, tap == first + slot ? c->filled : c->blank, c->channels % 8 ? 0 : c->channels / 8);
      }
    }
    multiply(c, slots);
    memcpy(c->tap_sums + first * n, c->acc, slots * n * sizeof(float));
  }
  const float* all = c->tap_sums + c->taps * n;
  for (size_t tap = 0; tap < c->taps; tap++) {
    float* sums = c->tap_sums + tap * n;
    for (size_t j = 0; j < n; j++) sums[j] = (all[j] - sums[j]) * 0.5f;
  }
}

/* Of the taps of pixel (y, x) that lie outside the image. */
static void take_away(const convolution* c, size_t slot, size_t y, size_t x) {
  const eb_b1_conv_args* args = c->args;
  const size_t n = args->n, reach = args->kernel / 2 * args->dilation;
  float* acc = c->acc + slot * n;
  for (size_t tap = 0; tap < c->taps; tap++) {
    const size_t row = y + tap / args->kernel * args->dilation - reach;
    const size_t col = x + tap % args->kernel * args->dilation - reach;
    if (row < args->h && col < args->w) continue;
    const float* sums = c->tap_sums + tap * n;
    for (size_t j = 0; j < n; j++) acc[j] -= sums[j];
  }
}

static void finish(const convolution* c, size_t pixel, size_t slots) {
  const size_t n = c->args->n;
  for (size_t slot = 0; slot < slots; slot += VF_STRIP_ROWS) {
    const size_t rows = EB_MIN(VF_STRIP_ROWS, slots - slot);
    for (size_t col = 0; col < n; col += EB_TILE_COLS) {
      vf tile[VF_STRIP_ROWS][EB_TILE_VECTORS];
      for (size_t r = 0; r < rows; r++) load_row(tile[r], c->acc + (slot + r) * n + col, EB_MIN(EB_TILE_COLS, n - col));
      eb_epilogue_tile(&c->args->epilogue, n, pixel + slot, rows, col, tile[0]);
    }
  }
}

size_t EB_SYMBOL(eb_b1_conv_workspace)(const eb_b1_conv_args* args) { return convolution_of(args).workspace_bytes; }

void EB_SYMBOL(eb_b1_conv)(const eb_b1_conv_args* args) {
  convolution c = convolution_of(args);
  place(&c);
  sum_taps(&c);
  const size_t end = args->row_end * args->w;
  for (size_t pixel = args->row_begin * args->w; pixel < end; pixel += BLOCK) {
    const size_t slots = EB_MIN(BLOCK, end - pixel);
    int outside[BLOCK];
    for (size_t slot = 0; slot < slots; slot++) {
      outside[slot] = gather(&c, slot, (pixel + slot) / args->w, (pixel + slot) % args->w);
    }
    multiply(&c, slots);
    for (size_t slot = 0; slot < slots; slot++) {
      if (outside[slot]) take_away(&c, slot, (pixel + slot) / args->w, (pixel + slot) % args->w);
    }
    finish(&c, pixel, slots);
  }
}
