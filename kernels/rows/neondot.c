/* eb_rows on NEON with UDOT, which it does not need: see rows_neon.h. */
#define EB_PATH neondot
#include "../simd/f32_neon.h"
#define EB_STRIP_VECTORS VF_STRIP_VECTORS
#include "rows_neon.h"
