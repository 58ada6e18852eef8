#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "stencil.h"
