#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#include "../simd/u8_avx2.h"
#include "../b1-attention/context_bytes.h"
#include "biased_map.h"
