#define EB_PATH avx512
#include "../simd/u8_avx512.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "relative_map.h"
