#define EB_PATH avx2
#include "../simd/u8_avx2.h"
#include "planes_nibbles.h"
#include "context.h"
#include "softmax_map.h"
