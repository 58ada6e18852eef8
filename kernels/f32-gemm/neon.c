#define EB_PATH neon
#include "lanes.h"
#include "gemm.h"
