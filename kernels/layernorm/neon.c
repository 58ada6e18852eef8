#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "lanes_neon.h"
#include "layernorm.h"
