#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#include "lanes_x86.h"
#include "layernorm.h"
