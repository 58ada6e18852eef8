#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "lanes_neon.h"
#include "layernorm.h"
