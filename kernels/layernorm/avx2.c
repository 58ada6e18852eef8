/* eb_layernorm on AVX2: layernorm.h has the registers and the figures. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#include "lanes_x86.h"
#include "layernorm.h"
