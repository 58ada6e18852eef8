/* edgebin kernels: the one public header (C11, plain C ABI).
 *
 * Bits.  Bit 1 means negative: bit = (x < 0), so +0, -0 and NaN are +1. Least significant bit first along the reduction
 * axis. A row of k bits takes EB_BIT_ROW_BYTES(k) bytes (whole 64-bit words); padding bits are 0. Python's twin of this
 * paragraph is edgebin/kernels/packing.py.
 *
 * Paths.  A path (scalar, neon, neondot, avx2, avx512) owns an instruction set and a layout of packed weights. Every
 * function below exists once per path as `name__path`; kernels/variants.inc lists them all with their layouts. No
 * kernel looks at the CPU; edgebin/kernels/select.py does.
 *
 * Exactness.  All paths give the same bits, floats included: each formula below fixes the order of operations, fma
 * means one rounding, and everything is compiled with -ffp-contract=off. `scalar` is the reference.
 *
 * Memory.  No kernel reads or writes outside the sizes stated here, allocates, or keeps state. Pointers need the
 * alignment of their element type only. Rows are independent, so callers split work over rows (or heads) between
 * threads.
 */
#ifndef EDGEBIN_H
#define EDGEBIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EB_BIT_ROW_BYTES(k) ((((size_t)(k) + 63) / 64) * 8)
#define EB_MAX_RESIDUALS 3
#define EB_MAX_BIT_PLANES 3

/* What is done to each value before it is stored. With j the column, i the row and acc the accumulator:
 *
 *   v = fma(acc, scale[j], bias[j])             scale NULL: v = acc + bias[j]; bias NULL: 0
 *   v = v + residual[r][i, j % residual_cols[r]]        for r = 0, 1, 2 until the first NULL
 *   v = v < 0 ? v * slope[j] : v                slope NULL: skipped
 *   v = v + offset[j]                           offset NULL: skipped
 *   v = fma(v, gain[j], shift[j])               gain NULL: skipped (then shift is NULL too)
 *   v = v + skip[i, j]                          skip NULL: skipped
 *   out[i, j] = v                               out NULL: not stored; pool > 1: see below
 *   bits[p][i, j] = v < threshold[p][j]         for p = 0, 1, 2 until the first NULL
 *
 * pool in {2, 4, 8}: out is [rows, n / pool], out[i, g] = tree(v[g*pool .. g*pool+pool-1]) * (1 / pool), where tree
 * adds neighbours pairwise, ((v0+v1)+(v2+v3))+((v4+v5)+(v6+v7)). n is a multiple of pool. residual_cols divides n.
 * Residual r is [rows, residual_cols[r]], skip is [rows, n], out is [rows, n / max(pool, 1)], all dense float rows. A
 * bit plane is [rows, EB_BIT_ROW_BYTES(n)] bytes and is written whole, padding included.
 */
typedef struct {
  const float* scale;
  const float* bias;
  const float* residual[EB_MAX_RESIDUALS];
  size_t residual_cols[EB_MAX_RESIDUALS];
  const float* slope;
  const float* offset;
  const float* gain;
  const float* shift;
  const float* skip;
  float* out;
  size_t pool;
  const float* threshold[EB_MAX_BIT_PLANES];
  uint8_t* bits[EB_MAX_BIT_PLANES];
} eb_epilogue;

/* Binary GEMM: acc[i, j] = k - popcount(a[i] ^ w[j]) - popcount(a2[i] ^ w[j]), an exact integer, |acc| <= k < 2^22.
 * a, a2: [m, EB_BIT_ROW_BYTES(k)] bytes; a2 NULL: a once more. With a = (x < 0) and a2 = (x <= 0) acc is the product of
 * sign(x) in {-1, 0, +1} with w. w: the path's packed panels (edgebin/kernels/layout.py packs them). */
typedef struct {
  size_t m, n, k;
  const uint8_t* a;
  const uint8_t* a2;
  const void* w;
  eb_epilogue epilogue;
} eb_b1_gemm_args;

/* fp32 GEMM: acc[i, j] = fma over p = 0 .. k-1 in that order, starting at 0. a: dense [m, k]. w: packed panels. */
typedef struct {
  size_t m, n, k;
  const float* a;
  const void* w;
  eb_epilogue epilogue;
} eb_f32_gemm_args;

/* Signs times floats: acc[i, j] = acc + a[i, p], or acc - a[i, p] where weight bit [j, p] is 1, over p = 0 .. k-1 in
 * that order, starting at 0. a: dense [m, k]. w: packed panels of bits. */
typedef struct {
  size_t m, n, k;
  const float* a;
  const void* w;
  eb_epilogue epilogue;
} eb_w1_gemm_args;

/* Signs times bytes: acc[i, j] = row_scale[i] * sum over p of a[i, p], negated where weight bit [j, p] is 1. The sum is
 * exact, for k <= 131071 keeps it below 2^24; the product rounds once; row_scale NULL: 1. a: dense [m, k]. w: packed
 * panels (edgebin/kernels/layout.py packs them as b1_gemm's). workspace: eb_w1i8_gemm_workspace__path(&args) bytes,
 * 64-byte aligned. */
typedef struct {
  size_t m, n, k;
  const int8_t* a;
  const float* row_scale;
  const void* w;
  void* workspace;
  eb_epilogue epilogue;
} eb_w1i8_gemm_args;

/* Elementwise: acc is x itself; exactly one of x_f32, x_i32 is set, dense [m, n]. Sign packing is this with one bit
 * plane. */
typedef struct {
  size_t m, n;
  const float* x_f32;
  const int32_t* x_i32;
  eb_epilogue epilogue;
} eb_rows_args;

/* Rows of floats as bytes and a scale: with largest = max over j of |x[i, j]|,
 *
 *   scale[i] = largest / 127
 *   q[i, j] = x[i, j] * (127 / largest), rounded to the nearest integer, ties to even       -127 .. 127
 *
 * each operation rounding once; a row with largest < 2^-100 is all 0, its scale too. x: dense [m, n], finite. q: dense
 * [m, n]. scale: [m]. */
typedef struct {
  size_t m, n;
  const float* x;
  int8_t* q;
  float* scale;
} eb_quantize_args;

/* Layer normalisation of rows: acc[i, j] = (x[i, j] - mean[i]) * rstd[i], where
 *
 *   total(t) = lane[0] of 16 lanes: lane[l] sums t[j] over j = l, l + 16, .. < n in that order, starting at 0;
 *              then lane[l] += lane[l + width] for l < width, for width = 8, 4, 2, 1
 *   mean = total(x) / n
 *   variance = total((x - mean)^2) / n, each lane one chain of fma(d, d, lane) with d = x[j] - mean
 *   rstd = 1 / sqrt(variance + epsilon)
 *
 * Division and square root round once, as IEEE 754 says. x: dense [m, n], finite; epsilon > 0. The norm's own gain and
 * bias are the epilogue's scale and bias: with out NULL only the bits are stored. */
typedef struct {
  size_t m, n;
  const float* x;
  float epsilon;
  eb_epilogue epilogue;
} eb_layernorm_args;

/* Binary convolution of one image with a square kernel of odd size and stride 1, rows row_begin .. row_end-1 of h.
 * Signs are padded with zeros: a tap outside the image counts nothing. Input channels c and output channels n are split
 * into `groups` equal groups.
 *
 *   acc[y, x, j] = sum over taps (dy, dx) inside the image and channels p of the group of j of
 *                  (a[y + dy, x + dx, p] == weight[j, dy, dx, p] ? +1 : -1)                   exact, |acc| < 2^22
 *
 * with dy, dx = dilation * (-(kernel / 2) .. kernel / 2). a: [h * w, EB_BIT_ROW_BYTES(c)] bytes. weights: packed by
 * edgebin/kernels/layout.py from rows of kernel * kernel * c / groups bits, tap after tap. Rows of the epilogue are the
 * pixels y * w + x of the whole image, its columns the output channels. workspace: eb_b1_conv_workspace__path(&args)
 * bytes, 64-byte aligned. */
typedef struct {
  size_t h, w, c, n;
  size_t kernel, dilation, groups;
  size_t row_begin, row_end;
  const uint8_t* a;
  const void* weights;
  void* workspace;
  eb_epilogue epilogue;
} eb_b1_conv_args;

/* Binary attention of one image, heads head_begin .. head_end-1. Head h owns columns h*head_dim .. of q, k, v and
 * context; head_dim is a multiple of 8, at most 248. q: [nq, bit row of heads*head_dim]; k, v: [nkv, the same].
 *
 *   agree[i, j] = head_dim - popcount(q[i, h] ^ k[j, h])                   0 .. head_dim; score S = 2*agree - head_dim
 *   z[i] = sum over j of exp_table[agree[i, j]]                            int64, exact
 *   map[s, i, j] = z[i] < limit[s, h, agree[i, j]]                         {0, 1}
 *   context[i, c] = sum over maps s and tokens j of
 *                   map[s, i, j] * (v[j, c] is negative ? -1 : +1)         int32, exact
 *
 * exp_table: [head_dim + 1], >= 0, its sums fit in int64. limit: [maps, heads, head_dim + 1], not falling along its
 * last axis. context: dense [nq, heads * head_dim]. workspace: eb_b1_attention_workspace__path(&args) bytes, 64-byte
 * aligned. */
typedef struct {
  size_t heads, head_dim, nq, nkv, maps;
  size_t head_begin, head_end;
  const uint8_t* q;
  const uint8_t* k;
  const uint8_t* v;
  const int64_t* exp_table;
  const int64_t* limit;
  int32_t* context;
  void* workspace;
} eb_b1_attention_args;

/* The same with one map that keeps what is near the best score of its row: map[i, j] = agree[i, j] + drop >= max over j
 * of agree[i, j]. workspace: eb_b1_relative_attention_workspace__path(&args) bytes. */
typedef struct {
  size_t heads, head_dim, nq, nkv;
  size_t head_begin, head_end;
  const uint8_t* q;
  const uint8_t* k;
  const uint8_t* v;
  size_t drop;
  int32_t* context;
  void* workspace;
} eb_b1_relative_attention_args;

/* The same with one map of biased scores: t[i, j] = fma(S[i, j], scale, bias[h, i, j]) and
 * map[i, j] = t[i, j] >= (max over j of t[i, j]) - margin. bias: dense [heads, nq, nkv]; bias, scale and margin are
 * finite. workspace: eb_b1_biased_attention_workspace__path(&args) bytes. */
typedef struct {
  size_t heads, head_dim, nq, nkv;
  size_t head_begin, head_end;
  const uint8_t* q;
  const uint8_t* k;
  const uint8_t* v;
  const float* bias;
  float scale, margin;
  int32_t* context;
  void* workspace;
} eb_b1_biased_attention_args;

/* Depthwise plus-shaped stencil of one image, rows row_begin .. row_end-1 of h.  x, y, skip: dense [h, w, c].
 * taps: [9, c] in the order (dh, dw) = (0,0) (-1,0) (1,0) (-2,0) (2,0) (0,-1) (0,1) (0,-2) (0,2); x outside the image
 * is 0, or wraps round when circular. v = bias[c]; v = fma(x[h+dh, w+dw, c], taps[t, c], v) for t in that order (taps
 * outside a zero-padded image are left out); y = skip ? v + skip[h, w, c] : v */
typedef struct {
  size_t h, w, c;
  size_t row_begin, row_end;
  int circular;
  const float* x;
  const float* taps;
  const float* bias;
  const float* skip;
  float* y;
} eb_f32_stencil_args;

/* What stands before each declaration; a test program that links some of them only makes them weak. */
#ifndef EB_API
#define EB_API
#endif

#define EB_DECLARE_PATH(path)                                                                     \
  EB_API void eb_b1_gemm__##path(const eb_b1_gemm_args* args);                                    \
  EB_API void eb_f32_gemm__##path(const eb_f32_gemm_args* args);                                  \
  EB_API void eb_w1_gemm__##path(const eb_w1_gemm_args* args);                                    \
  EB_API size_t eb_w1i8_gemm_workspace__##path(const eb_w1i8_gemm_args* args);                    \
  EB_API void eb_w1i8_gemm__##path(const eb_w1i8_gemm_args* args);                                \
  EB_API void eb_rows__##path(const eb_rows_args* args);                                          \
  EB_API void eb_quantize__##path(const eb_quantize_args* args);                                  \
  EB_API void eb_layernorm__##path(const eb_layernorm_args* args);                                \
  EB_API size_t eb_b1_conv_workspace__##path(const eb_b1_conv_args* args);                        \
  EB_API void eb_b1_conv__##path(const eb_b1_conv_args* args);                                    \
  EB_API size_t eb_b1_attention_workspace__##path(const eb_b1_attention_args* args);              \
  EB_API void eb_b1_attention__##path(const eb_b1_attention_args* args);                          \
  EB_API size_t eb_b1_relative_attention_workspace__##path(const eb_b1_relative_attention_args*); \
  EB_API void eb_b1_relative_attention__##path(const eb_b1_relative_attention_args* args);        \
  EB_API size_t eb_b1_biased_attention_workspace__##path(const eb_b1_biased_attention_args*);     \
  EB_API void eb_b1_biased_attention__##path(const eb_b1_biased_attention_args* args);            \
  EB_API void eb_f32_stencil__##path(const eb_f32_stencil_args* args);

EB_DECLARE_PATH(scalar)
EB_DECLARE_PATH(neon)
EB_DECLARE_PATH(neondot)
EB_DECLARE_PATH(avx2)
EB_DECLARE_PATH(avx512)
EB_DECLARE_PATH(neon_inorder)
EB_DECLARE_PATH(neon_tbl)

#ifdef __cplusplus
}
#endif
#endif
