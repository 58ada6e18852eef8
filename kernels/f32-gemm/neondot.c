#define EB_PATH neondot
#include "gemm.h"
#include "lanes.h"
