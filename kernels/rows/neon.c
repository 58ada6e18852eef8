/* eb_rows on Armv8.0 NEON: see rows_neon.h. */
#define EB_PATH neon
#include "../simd/f32_neon.h"
#define EB_STRIP_VECTORS VF_STRIP_VECTORS
#include "rows_neon.h"
