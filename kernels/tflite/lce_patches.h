/* The bits under each window of an image, gathered into rows. */
#ifndef EDGEBIN_TFLITE_LCE_PATCHES_H
#define EDGEBIN_TFLITE_LCE_PATCHES_H

#include "lce_shape.h"
#include "pool.h"

/* The patches of one group as rows of k bits, [output pixels, EB_BIT_ROW_BYTES(k)]. Taps outside of the
 * image are +1; with `upper`, a second such array, they are 0: bits of x < 0 in `rows`, of x <= 0 in `upper`. */
void lce_gather_patches(const lce_conv_shape* shape, const uint32_t* image, size_t group, uint8_t* rows, uint8_t* upper,
                        eb_pool* pool);

/* The filter, [n, taps, words], as rows of k bits. */
void lce_gather_filter(const lce_conv_shape* shape, const uint32_t* filter, uint8_t* rows);

#endif
