#define EB_PATH neon
#include "gemm.h"
#include "lanes.h"
