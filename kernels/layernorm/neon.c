/* eb_layernorm on Armv8.0 NEON: layernorm.h has the registers and the figures. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "lanes_neon.h"
#include "layernorm.h"
