#include <arm_neon.h>
#include <string.h>

#include "../internal/dotprod.h"
#include "edgebin.h"

EB_DOTPROD_BEGIN

#define EB_PATH neondot
#include "../simd/f32_neon.h"
#define EB_TILE_VECTORS 4
#include "../epilogue/tile.h"

#include "dot.h"

EB_DOTPROD_END
