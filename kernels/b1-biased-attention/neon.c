#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "../simd/u8_neon.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "scores_neon.h"
#include "biased_map.h"
