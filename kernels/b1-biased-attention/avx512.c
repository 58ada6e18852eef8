#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#include "../simd/u8_avx512.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "scores_x86.h"
#include "biased_map.h"
