#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "../simd/u8_neon.h"
#include "../b1-attention/context_bytes.h"
#include "biased_map.h"
