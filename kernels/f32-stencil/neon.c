#define EB_PATH neon
#include "../simd/f32_neon.h"
#include "stencil.h"
