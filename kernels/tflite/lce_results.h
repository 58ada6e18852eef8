/* From what a kernel computed to what LceBconv2d gives. */
#ifndef EDGEBIN_TFLITE_LCE_RESULTS_H
#define EDGEBIN_TFLITE_LCE_RESULTS_H

#include "lce_shape.h"

/* What a kernel computed for `columns` output channels from `first` on, dense, into its columns of the
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
