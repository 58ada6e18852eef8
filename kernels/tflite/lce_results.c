#include "lce_results.h"

#include <math.h>
#include <string.h>

#include "edgebin.h"
#include "lce_bits.h"

/* The range of sums, which an activation cuts. */
static void activation_range(const lce_conv_shape* shape, float* low, float* high) {
  const float k = (float)shape->k;
  const int activation = (int)shape->activation;
  *low = activation == LCE_RELU || activation == LCE_RELU6 ? 0.0f : activation == LCE_RELU_N1_TO_1 ? -1.0f : -k;
  *high = activation == LCE_RELU6 ? fminf(6.0f, k) : activation == LCE_RELU_N1_TO_1 ? 1.0f : k;
}

/* A number that is none becomes `low`. */
static float clamp(float value, float low, float high) {
  const float raised = value > low ? value : low;
  return raised < high ? raised : high;
}

/* Rounded to the nearest, ties away from zero, and cut to int8; without roundf, so that it becomes vector code. */
static int8_t round_to_int8(float value) {
  const float cut = clamp(value, -200.0f, 200.0f);
  const int whole = (int)cut;
  const float rest = cut - (float)whole;
  const int rounded = whole + (rest >= 0.5f) - (rest <= -0.5f);
  return (int8_t)(rounded > INT8_MAX ? INT8_MAX : rounded < INT8_MIN ? INT8_MIN : rounded);
}

void lce_place_bits(const lce_results* results, const uint8_t* rows, uint32_t* output) {
  const lce_conv_shape* shape = results->shape;
  const size_t pixels = lce_output_pixels(shape), words = LCE_WORDS(shape->n);
  if (results->columns == shape->n) {
    tfl_to_lce_rows(rows, output, pixels, shape->n);
    return;
  }
  if (results->first == 0) memset(output, 0, pixels * words * sizeof *output);
  for (size_t i = 0; i < pixels; i++, rows += EB_BIT_ROW_BYTES(results->columns), output += words) {
    tfl_append_bits((uint8_t*)output, results->first, (const uint32_t*)rows, results->columns);
  }
}

void lce_place_floats(const lce_results* results, const float* values, float* output) {
  const size_t pixels = lce_output_pixels(results->shape);
  for (size_t i = 0; i < pixels; i++, values += results->columns, output += results->shape->n) {
    memcpy(output + results->first, values, results->columns * sizeof *values);
  }
}

void lce_place_clamped(const lce_results* results, const float* sums, float* output) {
  const size_t pixels = lce_output_pixels(results->shape);
  const float *multiplier = results->multiplier + results->first, *bias = results->bias + results->first;
  float low, high;
  activation_range(results->shape, &low, &high);
  for (size_t i = 0; i < pixels; i++, sums += results->columns, output += results->shape->n) {
    float* out = output + results->first;
    for (size_t j = 0; j < results->columns; j++) out[j] = clamp(sums[j], low, high) * multiplier[j] + bias[j];
  }
}

void lce_place_int8(const lce_results* results, const float* restrict sums, int8_t* restrict output) {
  const size_t pixels = lce_output_pixels(results->shape);
  const float* restrict multiplier = results->multiplier + results->first;
  const float* restrict bias = results->bias + results->first;
  const float k = (float)results->shape->k;
  float low, high;
  activation_range(results->shape, &low, &high);
  for (size_t i = 0; i < pixels; i++, sums += results->columns, output += results->shape->n) {
    int8_t* restrict out = output + results->first;
    for (size_t j = 0; j < results->columns; j++) {
      out[j] = round_to_int8((k - clamp(sums[j], low, high)) * multiplier[j] + bias[j]);
    }
  }
}

void lce_fold_quantization(const lce_conv_shape* shape, const float* multiplier, const float* bias,
                           TfLiteQuantizationParams quantization, float* folded_multiplier, float* folded_bias) {
  const double scale = quantization.scale;
  for (size_t j = 0; j < shape->n; j++) {
    folded_multiplier[j] = (float)(-(double)multiplier[j] / scale);
    const double whole = (double)bias[j] + (double)shape->k * (double)multiplier[j];
    folded_bias[j] = (float)(whole / scale + quantization.zero_point);
  }
}
