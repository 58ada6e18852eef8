/* Binary convolution without a gathering of bits: a lane is 16 channels of one tap and one output channel.
 *
 * Where a group has whole words of 16 channels, the words under a tap are read in place, for a run of pixels of one
 * image row at a time; other groups' bits are gathered into rows first. For each panel of 16 output channels the counts
 * of a run go to floats [panel][pixel][16] in the first-level cache, which the epilogue takes as tiles.
 *
 * Taps outside the image read zeros, which are +1: what they added, the sum of the tap's weights, is taken off the
 * constant that the counts are subtracted from. A run ends where the set of outside taps changes. The sums come from
 * the same tile: a pixel of ones under one tap alone differs by twice the sum.
 *
 * Weights: panels of 16 output channels [word of k][16 channels], 16 bits a word. The variant that includes this has
 * included a words_*.h and epilogue/tile.h with EB_TILE_VECTORS for 16 columns.
 */
#include <string.h>

#define LANES 16
#define MAX_RUN 64
#define BYTE_STEPS 31 /* 31 * 8 = 248 */
#define ROUND_64(x) (EB_CEIL_DIV(x, 64) * 64)

typedef struct {
  const eb_b1_conv_args* args;
  size_t taps, channels, k; /* channels: of a group */
  size_t pixel_bytes, row_bytes, panels, group_panels, run;
  float* acc;             /* [panels][run][LANES] */
  float* columns;         /* the same by output channels, where panels are not full */
  float* base;            /* [panels][LANES]: what counts are subtracted from */
  float* edge;            /* the same for a run with taps outside the image */
  float* tap_sums;        /* [taps][panels][LANES] */
  const uint8_t** pixels; /* [taps]: what each tap reads at the first pixel of a run */
  const uint8_t** reads;  /* [words of k] */
  uint8_t* blank;         /* a run of zeros */
  uint8_t* filled;        /* a pixel of ones */
  uint8_t* bits;          /* [run][row_bytes]: gathered */
  size_t bytes;
} convolution;

static convolution convolution_of(const eb_b1_conv_args* args, uint8_t* at) {
  convolution c = {.args = args, .taps = args->kernel * args->kernel, .channels = args->c / args->groups};
  c.k = c.taps * c.channels;
  c.pixel_bytes = EB_BIT_ROW_BYTES(args->c);
  c.row_bytes = EB_BIT_ROW_BYTES(c.k);
  c.group_panels = EB_CEIL_DIV(args->n / args->groups, LANES);
  c.panels = c.group_panels * args->groups;
  c.run = EB_MIN(MAX_RUN, args->w);
  const size_t panel_bytes = c.panels * LANES * sizeof(float);
#define TAKE(part, size)        \
  c.part = (void*)at;           \
  if (at) at += ROUND_64(size); \
  c.bytes += ROUND_64(size)
  TAKE(acc, c.run * panel_bytes);
  TAKE(columns, c.run * panel_bytes);
  TAKE(base, panel_bytes);
  TAKE(edge, panel_bytes);
  TAKE(tap_sums, c.taps * panel_bytes);
  TAKE(pixels, c.taps * sizeof(void*));
  TAKE(reads, c.row_bytes / 2 * sizeof(void*));
  TAKE(blank, c.run * c.pixel_bytes);
  TAKE(filled, c.pixel_bytes);
  TAKE(bits, c.run * c.row_bytes);
#undef TAKE
  return c;
}

/* Differing bits of BYTE_STEPS words at most; reads[word] + at is what the first pixel reads. */
EB_INLINE void count_words(const uint8_t* const* reads, size_t at, size_t stride, const uint8_t* weights, size_t words,
                           vw* sum, const int pixels) {
  EB_UNROLL for (int p = 0; p < pixels; p++) sum[p] = vw_zero();
  for (size_t word = 0; word < words; word++, weights += 2 * LANES) {
    const vw w = vw_load(weights);
    const uint8_t* x = reads[word] + at;
    EB_UNROLL for (int p = 0; p < pixels; p++, x += stride) sum[p] = vw_add_differing(sum[p], w, x);
  }
}

/* out[p] = base - 2 * (differing bits of pixel p), for `pixels` pixels. */
EB_INLINE void count_tile(const uint8_t* const* reads, size_t at, size_t stride, const uint8_t* weights, size_t words,
                          const float* base, float* out, const int pixels) {
  vw sum[TILE_PIXELS];
  vf from[LANES / VF_LANES];
  count_words(reads, at, stride, weights, EB_MIN(BYTE_STEPS, words), sum, pixels);
  EB_UNROLL for (int v = 0; v < LANES / VF_LANES; v++) from[v] = vf_load(base + v * VF_LANES);
  EB_UNROLL for (int p = 0; p < pixels; p++) vw_subtract_twice(from, 1, sum[p], out + p * LANES);
  for (size_t word = BYTE_STEPS; word < words; word += BYTE_STEPS) {
    count_words(reads + word, at, stride, weights + 2 * LANES * word, EB_MIN(BYTE_STEPS, words - word), sum, pixels);
    EB_UNROLL for (int p = 0; p < pixels; p++) {
      EB_UNROLL for (int v = 0; v < LANES / VF_LANES; v++) from[v] = vf_load(out + p * LANES + v * VF_LANES);
      vw_subtract_twice(from, 0, sum[p], out + p * LANES);
    }
  }
}

EB_NOINLINE void count_pixels(const uint8_t* const* reads, size_t at, size_t stride, const uint8_t* weights,
                              size_t words, const float* base, float* out, size_t count) {
  size_t x = 0;
  for (; x + TILE_PIXELS <= count; x += TILE_PIXELS) {
    count_tile(reads, at + x * stride, stride, weights, words, base, out + x * LANES, TILE_PIXELS);
  }
  if (x && x < count) { /* the last ones again with some before them */
    x = count - TILE_PIXELS;
    count_tile(reads, at + x * stride, stride, weights, words, base, out + x * LANES, TILE_PIXELS);
    return;
  }
  for (; x < count; x++) count_tile(reads, at + x * stride, stride, weights, words, base, out + x * LANES, 1);
}

EB_INLINE void copy_bits(uint8_t* to, size_t to_bit, const uint8_t* from, size_t from_bit, size_t count) {
  for (size_t i = 0; i < count; i++, to_bit++, from_bit++) {
    const uint8_t bit = from[from_bit / 8] >> (from_bit % 8) & 1;
    to[to_bit / 8] = (uint8_t)((to[to_bit / 8] & ~(1u << to_bit % 8)) | (unsigned)bit << to_bit % 8);
  }
}

/* Group g's bits under all taps, a row for each pixel. */
static void gather(const convolution* c, size_t g, size_t count) {
  for (size_t x = 0; x < count; x++) {
    for (size_t tap = 0; tap < c->taps; tap++) {
      const uint8_t* pixel = c->pixels[tap] + x * c->pixel_bytes;
      copy_bits(c->bits + x * c->row_bytes, tap * c->channels, pixel, g * c->channels, c->channels);
    }
  }
}

/* Counts of `count` pixels, the first of which reads c->pixels, to out [panels][run][LANES]. */
static void count_run(const convolution* c, size_t count, const float* base, float* out) {
  const size_t words = EB_CEIL_DIV(c->k, 16), tap_words = c->channels / 16, in_place = c->channels % 16 == 0;
  const size_t stride = in_place ? c->pixel_bytes : c->row_bytes;
  const uint8_t* weights = c->args->weights;
  const uint8_t** read = c->reads;
  if (in_place) {
    for (size_t tap = 0; tap < c->taps; tap++) {
      for (size_t word = 0; word < tap_words; word++) *read++ = c->pixels[tap] + 2 * word;
    }
  } else {
    for (size_t word = 0; word < words; word++) *read++ = c->bits + 2 * word;
  }
  for (size_t g = 0; g < c->args->groups; g++) {
    if (!in_place) gather(c, g, count);
    for (size_t panel = 0; panel < c->group_panels; panel++) {
      count_pixels(c->reads, in_place ? g * tap_words * 2 : 0, stride, weights, words, base, out, count);
      weights += c->row_bytes * LANES;
      base += LANES;
      out += c->run * LANES;
    }
  }
}

/* What the taps outside the image, read as zeros, would add; and k, from which counts are subtracted. */
static void find_constants(const convolution* c) {
  const size_t lanes = c->panels * LANES;
  for (size_t j = 0; j < lanes; j++) c->edge[j] = (float)c->k + COUNT_BIAS;
  for (size_t tap = 0; tap <= c->taps; tap++) {
    for (size_t t = 0; t < c->taps; t++) c->pixels[t] = t == tap ? c->filled : c->blank;
    count_run(c, 1, c->edge, c->acc);
    for (size_t j = 0; j < lanes; j++) {
      const float acc = c->acc[j / LANES * c->run * LANES + j % LANES];
      if (tap == c->taps) {
        c->base[j] = acc;
      } else {
        c->tap_sums[tap * lanes + j] = acc;
      }
    }
  }
  for (size_t tap = 0; tap < c->taps; tap++) {
    for (size_t j = 0; j < lanes; j++) {
      c->tap_sums[tap * lanes + j] = (c->base[j] - c->tap_sums[tap * lanes + j]) * 0.5f;
    }
  }
  for (size_t j = 0; j < lanes; j++) c->base[j] = (float)c->k + COUNT_BIAS;
}

/* Aims the taps at pixel (y, x) and the ones after it; returns the number of pixels for which the same are inside,
 * `most` at most. `constants`: what to subtract their counts from. */
static size_t aim(const convolution* c, size_t y, size_t x, size_t most, const float** constants) {
  const eb_b1_conv_args* args = c->args;
  const size_t reach = args->kernel / 2 * args->dilation, lanes = c->panels * LANES;
  *constants = c->base;
  for (size_t tap = 0; tap < c->taps; tap++) {
    /* Unsigned: a tap before the first row or column wraps round to a number that is too large. */
    const size_t row = y + tap / args->kernel * args->dilation - reach;
    const size_t col = x + tap % args->kernel * args->dilation - reach;
    most = EB_MIN(most, col < args->w ? args->w - col : (size_t)0 - col);
    if (row < args->h && col < args->w) {
      c->pixels[tap] = args->a + (row * args->w + col) * c->pixel_bytes;
      continue;
    }
    c->pixels[tap] = c->blank;
    for (size_t j = 0; j < lanes; j += VF_LANES) {
      vf_store(c->edge + j, vf_sub(vf_load(*constants + j), vf_load(c->tap_sums + tap * lanes + j)));
    }
    *constants = c->edge;
  }
  return most;
}

/* Panels side by side, where the last of a group is not full. */
static const float* by_columns(const convolution* c, size_t count) {
  const size_t group_cols = c->args->n / c->args->groups;
  if (group_cols % LANES == 0) return c->acc;
  for (size_t j = 0; j < c->args->n; j++) {
    const size_t in_group = j % group_cols, panel = j / group_cols * c->group_panels + in_group / LANES;
    const float* from = c->acc + panel * c->run * LANES + in_group % LANES;
    float* to = c->columns + j / LANES * c->run * LANES + j % LANES;
    for (size_t x = 0; x < count; x++) to[x * LANES] = from[x * LANES];
  }
  return c->columns;
}

static void convolve_pixels(const convolution* c, size_t y, size_t first, size_t count) {
  const size_t n = c->args->n;
  for (size_t x = 0; x < count;) {
    const float* constants;
    const size_t run = aim(c, y, first + x, count - x, &constants);
    count_run(c, run, constants, c->acc + x * LANES);
    x += run;
  }
  const float* tile = by_columns(c, count);
  for (size_t col = 0; col < n; col += LANES, tile += c->run * LANES) {
    eb_epilogue_tile(&c->args->epilogue, n, y * c->args->w + first, count, col, (const vf*)tile);
  }
}

size_t EB_SYMBOL(eb_b1_conv_workspace)(const eb_b1_conv_args* args) { return convolution_of(args, NULL).bytes; }

void EB_SYMBOL(eb_b1_conv)(const eb_b1_conv_args* args) {
  const convolution c = convolution_of(args, args->workspace);
  memset(c.blank, 0, c.run * c.pixel_bytes);
  memset(c.filled, 0xFF, c.pixel_bytes);
  memset(c.bits, 0, c.run * c.row_bytes);
  find_constants(&c);
  for (size_t y = args->row_begin; y < args->row_end; y++) {
    for (size_t x = 0; x < args->w; x += c.run) convolve_pixels(&c, y, x, EB_MIN(c.run, args->w - x));
  }
}
