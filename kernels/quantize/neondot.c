/* eb_quantize on NEON with UDOT, which it does not need: see quantize.h. */
#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "bytes_neon.h"
#include "quantize.h"
