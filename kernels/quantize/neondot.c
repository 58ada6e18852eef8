#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "bytes_neon.h"
#include "quantize.h"
