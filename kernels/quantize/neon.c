/* eb_quantize on Armv8.0 NEON: see quantize.h. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "bytes_neon.h"
#include "quantize.h"
