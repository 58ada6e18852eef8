/* eb_layernorm on NEON with UDOT, which it does not need: layernorm.h has the registers and the figures. */
#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "lanes_neon.h"
#include "layernorm.h"
