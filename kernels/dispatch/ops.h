/* The list of ops. */
#ifndef EDGEBIN_DISPATCH_OPS_H
#define EDGEBIN_DISPATCH_OPS_H

#include "node.h"

/* NULL: there is none of this name. */
const eb_op* eb_find_op(const char* name);

#endif
