/* eb_f32_stencil for cores with UDOT, which has no use here. As neon.c. */
#define EB_PATH neondot
#include "../simd/f32_neon.h"
#include "stencil.h"
