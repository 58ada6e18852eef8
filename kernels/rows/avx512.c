/* eb_rows on AVX-512: see rows.h. */
#define EB_PATH avx512
#include "../simd/f32_avx512.h"
#include "rows.h"
