/* The epilogue of popcounts on NEON: rows x 32 columns of 16-bit counts, right after a tile.
 *
 * Floats come out exact in two instructions: 2^24 + 2 * count is the float with bits 0x4B800000 + count, so UADDW and
 * one FSUB from 2^24 + k give k - 2 * count. For odd k, and for the two planes of a ternary product, the counts are
 * doubled (added) first: 2^23 + count has bits 0x4B000000 + count. UCVTF would be slower: one in two cycles on
 * Cortex-A72 and A76.
 *
 * The bias is loaded anew for each row, straight into the register that FMLA accumulates in: a load costs one issue
 * slot of Cortex-A72, a copy of a register two.
 *
 * Include after simd/f32_neon.h, with EB_STRIP_ROWS defined: how many rows, an even number, are kept in registers at
 * once (16 vectors for 4). Whole strips only: residuals that wrap round inside 16 columns and the last, partial
 * panel of a row go through epilogue.h.
 */
#ifndef EDGEBIN_EPILOGUE_NEON_COUNTS_H
#define EDGEBIN_EPILOGUE_NEON_COUNTS_H

#include "edgebin.h"
#include "stages.h"

/* How counts become floats: minuend - float(magic + count). */
typedef struct {
  uint32x4_t magic;
  float32x4_t minuend;
} eb_count_scale;

/* doubled: the counts are twice what they were, or sums of two planes. */
EB_INLINE eb_count_scale eb_count_scale_of(size_t k, int doubled) {
  return (eb_count_scale){vdupq_n_u32(doubled ? 0x4B000000 : 0x4B800000),
                          vdupq_n_f32((doubled ? 0x1p23f : 0x1p24f) + (float)k)};
}

/* 8 counts -> two vectors of accumulators. */
EB_INLINE void eb_float_counts(const eb_count_scale* to_float, uint16x8_t counts, vf acc[2]) {
  const uint32x4_t low = vaddw_u16(to_float->magic, vget_low_u16(counts));
  const uint32x4_t high = vaddw_high_u16(to_float->magic, counts);
  acc[0] = vf_sub(to_float->minuend, vreinterpretq_f32_u32(low));
  acc[1] = vf_sub(to_float->minuend, vreinterpretq_f32_u32(high));
}

EB_INLINE void eb_load_4(vf v[4], const float* p) { EB_UNROLL for (int i = 0; i < 4; i++) v[i] = vf_load(p + 4 * i); }

/* The same, but never merged with another load of the same address. */
EB_INLINE void eb_reload_4(vf v[4], const float* p) {
  __asm__ volatile("" : "+r"(p));
  eb_load_4(v, p);
}

EB_INLINE void eb_store_4(float* p, const vf v[4]) { EB_UNROLL for (int i = 0; i < 4; i++) vf_store(p + 4 * i, v[i]); }

#define EB_EACH_ROW EB_UNROLL for (int r = 0; r < rows; r++)

#define EB_EACH EB_EACH_ROW EB_UNROLL for (int i = 0; i < 4; i++)

EB_INLINE void eb_strip_bits(const eb_epilogue* e, size_t n, size_t row, const int rows, size_t col,
                             vf v[EB_STRIP_ROWS][4]) {
  for (int p = 0; p < EB_MAX_BIT_PLANES && e->threshold[p]; p++) {
    vf t[4];
    eb_load_4(t, e->threshold[p] + col);
    const size_t row_bytes = EB_BIT_ROW_BYTES(n);
    uint8_t* bits = e->bits[p] + row * row_bytes + col / 8;
    EB_UNROLL for (int r = 0; r < rows; r += 2, bits += 2 * row_bytes) {
      uint8x16_t sum = vpaddq_u8(vf_less_bytes(v[r], t), vf_less_bytes(v[r + 1], t));
      sum = vpaddq_u8(sum, sum);
      const uint16x8_t words = vreinterpretq_u16_u8(vpaddq_u8(sum, sum));
      vst1q_lane_u16((uint16_t*)(void*)bits, words, 0);
      vst1q_lane_u16((uint16_t*)(void*)(bits + row_bytes), words, 1);
    }
  }
}

EB_INLINE void eb_strip_pooled(const eb_epilogue* e, size_t n, size_t row, const int rows, size_t col,
                               vf v[EB_STRIP_ROWS][4]) {
  const int shift = __builtin_ctzl(e->pool);
  const vf share = vf_set1(1.0f / (float)e->pool);
  EB_EACH_ROW {
    float* out = e->out + (((row + (size_t)r) * n + col) >> shift);
    const vf low = vpaddq_f32(v[r][0], v[r][1]), high = vpaddq_f32(v[r][2], v[r][3]);
    if (e->pool == 2) {
      vf_store(out, vf_mul(low, share));
      vf_store(out + 4, vf_mul(high, share));
    } else if (e->pool == 4) {
      vf_store(out, vf_mul(vpaddq_f32(low, high), share));
    } else {
      const vf fours = vpaddq_f32(low, high);
      vst1_f32(out, vget_low_f32(vf_mul(vpaddq_f32(fours, fours), share)));
    }
  }
}

/* Rows row .. row+rows-1, columns col .. col+15 of an [.., n] result from accumulators. */
EB_INLINE void eb_stage_strip(const eb_epilogue* e, const unsigned stages, size_t n, size_t row, const int rows,
                              size_t col, vf v[EB_STRIP_ROWS][4]) {
  vf x[4];
  if (stages & EB_SCALE) {
    eb_load_4(x, e->scale + col);
    EB_EACH_ROW {
      vf sum[4] = {vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f)};
      if (stages & EB_BIAS) eb_reload_4(sum, e->bias + col);
      EB_UNROLL for (int i = 0; i < 4; i++) v[r][i] = vf_fma(v[r][i], x[i], sum[i]);
    }
  } else {
    EB_UNROLL for (int i = 0; i < 4; i++) x[i] = vf_set1(0.0f);
    if (stages & EB_BIAS) eb_load_4(x, e->bias + col);
    EB_EACH v[r][i] = vf_add(v[r][i], x[i]);
  }
  if (stages & EB_RESIDUAL) {
    for (int source = 0; source < EB_MAX_RESIDUALS && e->residual[source]; source++) {
      const size_t cols = e->residual_cols[source], at = col < cols ? col : col % cols;
      EB_EACH_ROW {
        eb_load_4(x, e->residual[source] + (row + (size_t)r) * cols + at);
        EB_UNROLL for (int i = 0; i < 4; i++) v[r][i] = vf_add(v[r][i], x[i]);
      }
    }
  }
  if (stages & EB_SLOPE) {
    eb_load_4(x, e->slope + col);
    EB_EACH v[r][i] = vf_leaky(v[r][i], x[i]);
  }
  if (stages & EB_OFFSET) {
    eb_load_4(x, e->offset + col);
    EB_EACH v[r][i] = vf_add(v[r][i], x[i]);
  }
  if (stages & EB_GAIN) {
    eb_load_4(x, e->gain + col);
    EB_EACH_ROW {
      vf sum[4];
      eb_reload_4(sum, e->shift + col);
      EB_UNROLL for (int i = 0; i < 4; i++) v[r][i] = vf_fma(v[r][i], x[i], sum[i]);
    }
  }
  if (stages & EB_SKIP) {
    EB_EACH_ROW {
      eb_load_4(x, e->skip + (row + (size_t)r) * n + col);
      EB_UNROLL for (int i = 0; i < 4; i++) v[r][i] = vf_add(v[r][i], x[i]);
    }
  }
  if (stages & EB_POOLED) {
    eb_strip_pooled(e, n, row, rows, col, v);
  } else if (stages & EB_OUT) {
    EB_EACH_ROW eb_store_4(e->out + (row + (size_t)r) * n + col, v[r]);
  }
  if (stages & EB_BITS) eb_strip_bits(e, n, row, rows, col, v);
}

/* The same from counts[row * stride]. */
EB_INLINE void eb_count_strip(const eb_epilogue* e, const unsigned stages, const eb_count_scale* to_float, size_t n,
                              size_t row, const int rows, size_t col, const uint16_t* counts, const size_t stride) {
  vf v[EB_STRIP_ROWS][4];
  EB_EACH_ROW {
    eb_float_counts(to_float, vld1q_u16(counts + (size_t)r * stride), &v[r][0]);
    eb_float_counts(to_float, vld1q_u16(counts + (size_t)r * stride + 8), &v[r][2]);
  }
  eb_stage_strip(e, stages, n, row, rows, col, v);
}

#undef EB_EACH
#undef EB_EACH_ROW

#endif
