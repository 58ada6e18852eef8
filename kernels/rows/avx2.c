/* eb_rows on AVX2: see rows.h. */
#define EB_PATH avx2
#include "../simd/f32_avx2.h"
#include "rows.h"
