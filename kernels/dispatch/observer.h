/* Telling the observer, if there is one. */
#ifndef EDGEBIN_DISPATCH_OBSERVER_H
#define EDGEBIN_DISPATCH_OBSERVER_H

#include "dispatch.h"

void eb_observe_run(const char* name, const eb_tensor* outputs, size_t output_count, int after);

#endif
