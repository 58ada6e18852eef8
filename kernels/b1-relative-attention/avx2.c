#define EB_PATH avx2
#include "../simd/u8_avx2.h"
#include "../b1-attention/planes_nibbles.h"
#include "../b1-attention/context.h"
#include "relative_map.h"
