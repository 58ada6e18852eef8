/* The stencil over vectors of channels. Include after a simd/f32_*.h.
 *
 * Where no tap of a row's own pixels falls outside (columns 2 .. w-3), a tile is TILE_PIXELS neighbours by one vector
 * of channels: the row's own pixels are read once for their five taps, a vector of weights serves the whole tile, and
 * sums stay in registers. Taps of other rows come from a list, for at the image's edges some are left out. All other
 * pixels, and channels that do not fill a vector, go tap by tap.
 *
 * NEON, 56 x 56 x 64: 8 pixels x 4 channels take 12 + 8 loads of pixels and 1 of weights per row, 72 FMLA, 8 stores.
 */
#define EB_STRIP_VECTORS VF_ROW_VECTORS
#include "../epilogue/epilogue.h"
#include "taps.h"

#define TILE_PIXELS (VF_LANES == 8 ? 4 : 8) /* AVX2 has half the registers: sums and the row's own pixels fill them */
#define REACH 2
#define ROW_TAPS 5 /* of the pixel's own row, the pixel itself among them */

EB_INLINE vf load_at(const float* p, size_t byte_offset) {
  return vf_load((const float*)(const void*)((const uint8_t*)p + byte_offset));
}

/* Pixels of a row by a vector of channels. reads: of pixel REACH of the row; the first pixel's channels lie `at` floats
 * after that one's. step[i]: bytes from a pixel to the i-th after it. */
EB_INLINE void interior_tile(const eb_f32_stencil_args* args, const eb_stencil_reads* reads, const size_t* step,
                             size_t at, size_t pixel, size_t channel, const int pixels) {
  const size_t c = args->c, other_taps = reads->count - ROW_TAPS;
  const float *taps = args->taps + channel, *own = reads->x[0] + at - REACH * c;
  vf v[TILE_PIXELS], x[TILE_PIXELS + 2 * REACH], w;
  EB_UNROLL for (int i = 0; i < pixels + 2 * REACH; i++) x[i] = load_at(own, step[i]);
  v[0] = vf_load(args->bias + channel);
  EB_UNROLL for (int i = 1; i < pixels; i++) v[i] = v[0];
  w = vf_load(taps);
  EB_UNROLL for (int i = 0; i < pixels; i++) v[i] = vf_fma(x[i + REACH], w, v[i]);
  for (size_t t = 1; t <= other_taps; t++) {
    const float* other = reads->x[t] + at;
    w = vf_load(reads->taps[t] + channel);
    EB_UNROLL for (int i = 0; i < pixels; i++) v[i] = vf_fma(load_at(other, step[i]), w, v[i]);
  }
  EB_UNROLL for (int t = 0; t < 4; t++) {
    static const int kFrom[4] = {REACH - 1, REACH + 1, REACH - 2, REACH + 2};
    w = vf_load(taps + (size_t)(5 + t) * c);
    EB_UNROLL for (int i = 0; i < pixels; i++) v[i] = vf_fma(x[i + kFrom[t]], w, v[i]);
  }
  if (args->skip) {
    const float* skip = args->skip + pixel + channel;
    EB_UNROLL for (int i = 0; i < pixels; i++) v[i] = vf_add(v[i], load_at(skip, step[i]));
  }
  uint8_t* y = (uint8_t*)(args->y + pixel + channel);
  EB_UNROLL for (int i = 0; i < pixels; i++) vf_store((float*)(void*)(y + step[i]), v[i]);
}

/* Whole vectors of channels of whole tiles of columns that have all their row's taps; returns how many columns. */
static size_t interior(const eb_f32_stencil_args* args, size_t row) {
  if (args->w <= 2 * REACH) return 0;
  const size_t c = args->c, cols = args->w - 2 * REACH;
  const eb_stencil_reads reads = eb_stencil_reads_of(args, row, REACH);
  size_t step[TILE_PIXELS + 2 * REACH];
  EB_UNROLL for (size_t i = 0; i < TILE_PIXELS + 2 * REACH; i++) step[i] = i * c * sizeof(float);
  size_t col = 0;
  while (cols - col >= TILE_PIXELS / 2) {
    const int whole = cols - col >= TILE_PIXELS;
    const size_t pixel = (row * args->w + REACH + col) * c;
    for (size_t channel = 0; channel + VF_LANES <= c; channel += VF_LANES) {
      if (whole) {
        interior_tile(args, &reads, step, col * c + channel, pixel, channel, TILE_PIXELS);
      } else {
        interior_tile(args, &reads, step, col * c + channel, pixel, channel, TILE_PIXELS / 2);
      }
    }
    col += whole ? TILE_PIXELS : TILE_PIXELS / 2;
  }
  return col;
}

EB_INLINE void stencil_strip(const eb_f32_stencil_args* args, const eb_stencil_reads* reads, size_t pixel, size_t c,
                             size_t count) {
  vf v[EB_STRIP_VECTORS], x[EB_STRIP_VECTORS], w[EB_STRIP_VECTORS];
  eb_load_cols(v, args->bias + c, count);
  for (size_t t = 0; t < reads->count; t++) {
    eb_load_cols(x, reads->x[t] + c, count);
    eb_load_cols(w, reads->taps[t] + c, count);
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_fma(x[i], w[i], v[i]);
  }
  if (args->skip) {
    eb_load_cols(x, args->skip + pixel + c, count);
    EB_UNROLL for (int i = 0; i < EB_STRIP_VECTORS; i++) v[i] = vf_add(v[i], x[i]);
  }
  eb_store_cols(args->y + pixel + c, v, count);
}

/* Channels from .. c-1 of a pixel. */
static void any_pixel(const eb_f32_stencil_args* args, size_t row, size_t col, size_t from) {
  const eb_stencil_reads reads = eb_stencil_reads_of(args, row, col);
  const size_t pixel = (row * args->w + col) * args->c;
  for (; from + EB_STRIP_COLS <= args->c; from += EB_STRIP_COLS)
    stencil_strip(args, &reads, pixel, from, EB_STRIP_COLS);
  if (from < args->c) stencil_strip(args, &reads, pixel, from, args->c - from);
}

void EB_SYMBOL(eb_f32_stencil)(const eb_f32_stencil_args* args) {
  for (size_t row = args->row_begin; row < args->row_end; row++) {
    const size_t cols = interior(args, row), done = args->c / VF_LANES * VF_LANES;
    for (size_t col = 0; col < args->w; col++) {
      if (col < REACH || col >= REACH + cols) {
        any_pixel(args, row, col, 0);
      } else if (done < args->c) {
        any_pixel(args, row, col, done);
      }
    }
  }
}
