#define EB_PATH avx512
#include "../simd/u8_avx512.h"
#include "../b1-attention/context_avx512.h"
#include "relative_map.h"
