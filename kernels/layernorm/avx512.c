/* eb_layernorm on AVX-512: layernorm.h has the registers and the figures. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#include "lanes_x86.h"
#include "layernorm.h"
