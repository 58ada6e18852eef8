#define EB_PATH avx512
#include "../simd/u8_avx512.h"
#include "planes_bytes.h"
#include "context.h"
#include "softmax_map.h"
