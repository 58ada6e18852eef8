/* What an LceBconv2d is: its options, and the sizes of what it reads and writes. */
#ifndef EDGEBIN_TFLITE_LCE_SHAPE_H
#define EDGEBIN_TFLITE_LCE_SHAPE_H

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

/* From the node's options; then from its tensors. 0: something is not as it has to be, which has been reported. */
int lce_read_conv_options(lce_conv_shape* shape, tfl_call* call);
int lce_read_conv_shape(lce_conv_shape* shape, tfl_call* call);

#endif
