#define EB_PATH neondot
#include "lanes.h"
#include "gemm.h"
