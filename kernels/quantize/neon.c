#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "bytes_neon.h"
#include "quantize.h"
