#define EB_PATH neondot
#include "../simd/u8_neon.h"
#include "../b1-attention/context_bytes.h"
#include "relative_map.h"
