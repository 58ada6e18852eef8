/* LceBconv2d, in its parts: options and shapes, patches (lce_patches.c), results (lce_results.c), the op (lce_conv.c).
 */
#ifndef EDGEBIN_TFLITE_LCE_CONV_H
#define EDGEBIN_TFLITE_LCE_CONV_H

#include "lce_window.h"
#include "op.h"

enum { LCE_NO_ACTIVATION = 0, LCE_RELU = 1, LCE_RELU_N1_TO_1 = 2, LCE_RELU6 = 3 };

/* Channels come in `groups` groups; a group of a pixel is `words` words. One result of a group is the product of `k`
 * bits: tap after tap, without gaps. */
typedef struct {
  int64_t channels, padding, pad_values, activation;
  lce_axis vertical, horizontal;
  size_t batch, n, groups, words, k;
  int64_t output_type; /* no padding in here: shapes are compared as bytes */
} lce_conv_shape;

size_t lce_output_pixels(const lce_conv_shape* shape);
size_t lce_group_channels(const lce_conv_shape* shape);

/* Whether some window reaches over the image's edge. */
int lce_needs_padding(const lce_conv_shape* shape);

/* lce_patches.c: the patches of one group as rows of k bits, [output pixels, EB_BIT_ROW_BYTES(k)]. Taps outside of the
 * image are +1; with `upper`, a second such array, they are 0: bits of x < 0 in `rows`, of x <= 0 in `upper`. */
void lce_gather_patches(const lce_conv_shape* shape, const uint32_t* image, size_t group, uint8_t* rows, uint8_t* upper,
                        eb_pool* pool);

/* The filter, [n, taps, words], as rows of k bits. */
void lce_gather_filter(const lce_conv_shape* shape, const uint32_t* filter, uint8_t* rows);

/* lce_results.c: what a kernel computed for `columns` output channels from `first` on, dense, into its columns of the
 * output. Sums become clamped before they are scaled, as LCE does it; int8 is rounded to the nearest, ties away from
 * zero. `multiplier` and `bias` have an element for each of the n channels. */
typedef struct {
  const lce_conv_shape* shape;
  size_t first, columns;
  const float *multiplier, *bias;
} lce_results;

void lce_place_bits(const lce_results* results, const uint8_t* rows, uint32_t* output);
void lce_place_floats(const lce_results* results, const float* values, float* output);
void lce_place_clamped(const lce_results* results, const float* sums, float* output);
void lce_place_int8(const lce_results* results, const float* sums, int8_t* output);

/* The multipliers and biases that lce_place_int8 takes: they give quantized values, from K - sum. */
void lce_fold_quantization(const lce_conv_shape* shape, const float* multiplier, const float* bias,
                           TfLiteQuantizationParams quantization, float* folded_multiplier, float* folded_bias);

#endif
