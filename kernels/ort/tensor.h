/* onnxruntime's tensors as dispatch takes them. */
#ifndef EDGEBIN_ORT_TENSOR_H
#define EDGEBIN_ORT_TENSOR_H

#include "../dispatch/dispatch.h"
#include "abi.h"

/* Type, shape and data of a value. A type that no kernel takes becomes EB_NO_TYPE. */
OrtStatus* eb_ort_read_tensor(const OrtApi* api, const OrtValue* value, eb_tensor* tensor);

/* Type and shape alone; sizes that are not known are negative. */
OrtStatus* eb_ort_read_shape(const OrtApi* api, const OrtShapeInfo* shape, eb_tensor* tensor);

int eb_ort_element_type(eb_type type);

#endif
