#include "tensor.h"

static eb_type type_of(int element_type) {
  switch (element_type) {
    case ORT_TENSOR_FLOAT:
      return EB_F32;
    case ORT_TENSOR_UINT8:
      return EB_U8;
    case ORT_TENSOR_INT32:
      return EB_I32;
    case ORT_TENSOR_INT64:
      return EB_I64;
    default:
      return EB_NO_TYPE;
  }
}

int eb_ort_element_type(eb_type type) {
  switch (type) {
    case EB_F32:
      return ORT_TENSOR_FLOAT;
    case EB_U8:
      return ORT_TENSOR_UINT8;
    case EB_I32:
      return ORT_TENSOR_INT32;
    case EB_I64:
      return ORT_TENSOR_INT64;
    default:
      return ORT_UNDEFINED;
  }
}

OrtStatus* eb_ort_read_shape(const OrtApi* api, const OrtShapeInfo* shape, eb_tensor* tensor) {
  int type;
  OrtStatus* status = api->GetTensorElementType(shape, &type);
  if (!status) status = api->GetDimensionsCount(shape, &tensor->rank);
  if (status) return status;
  if (tensor->rank > EB_MAX_RANK) return api->CreateStatus(ORT_INVALID_ARGUMENT, "edgebin: more than 8 dimensions");
  tensor->type = type_of(type);
  return api->GetDimensions(shape, tensor->dims, tensor->rank);
}

OrtStatus* eb_ort_read_tensor(const OrtApi* api, const OrtValue* value, eb_tensor* tensor) {
  OrtShapeInfo* shape;
  OrtStatus* status = api->GetTensorTypeAndShape(value, &shape);
  if (status) return status;
  status = eb_ort_read_shape(api, shape, tensor);
  api->ReleaseTensorTypeAndShapeInfo(shape);
  /* It is only read; the API has no other call for that. */
  return status ? status : api->GetTensorMutableData((OrtValue*)value, &tensor->data);
}
