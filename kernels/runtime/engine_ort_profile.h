/* The file that onnxruntime's profiler writes: one event a line, in order, such as
 *
 *   {"cat" : "Node","pid" :1,"tid" :1,"dur" :116,"ts" :4342,"ph" : "X","name" :"/a/MatMul_kernel_time","args" : {…}},
 *
 * `dur` in microseconds, the event `model_run` after each run. */
#ifndef EDGEBIN_RUNTIME_ENGINE_ORT_PROFILE_H
#define EDGEBIN_RUNTIME_ENGINE_ORT_PROFILE_H

#include "functions.h"

/* What onnxruntime does between nodes is reported under this name. */
#define EB_ORT_OWN_WORK "(onnxruntime)"

/* Adds up the nodes of all runs but the first `skip`. */
void eb_ort_profile_read(const char* path, int64_t skip, eb_functions* functions);

#endif
