#define EB_PATH neondot
#include "../simd/u8_neon.h"
#include "../b1-attention/planes_bytes.h"
#include "../b1-attention/context.h"
#include "relative_map.h"
