#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#include "../simd/u8_avx2.h"
#include "../b1-attention/planes_nibbles.h"
#include "../b1-attention/context.h"
#include "scores_x86.h"
#include "biased_map.h"
