/* A node of an onnxruntime session: the two functions that onnxruntime calls, over kernels/dispatch. */
#ifndef EDGEBIN_ORT_KERNEL_H
#define EDGEBIN_ORT_KERNEL_H

#include "abi.h"

OrtStatus* eb_ort_create(const char* op, const OrtApi* api, const OrtKernelInfo* info, void** kernel);
OrtStatus* eb_ort_compute(void* kernel, OrtKernelContext* context);
void eb_ort_destroy(void* kernel);

#endif
