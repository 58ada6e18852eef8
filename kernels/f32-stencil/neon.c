/* eb_f32_stencil on Armv8.0 NEON: 8 pixels x 4 channels; see stencil.h. 56 x 56 x 64 with skip: 29.3 instructions for
 * 4 outputs (QEMU), 44.8 when each pixel went tap by tap; limit 9 FMLA, 6.5 loads, a store and an addition. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "stencil.h"
