#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#include "stencil.h"
