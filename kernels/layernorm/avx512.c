#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#include "lanes_x86.h"
#include "layernorm.h"
