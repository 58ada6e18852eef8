#define EB_PATH neon
#include "../simd/u8_neon.h"
#include "planes_bytes.h"
#include "context.h"
#include "softmax_map.h"
