#include "infer.h"

#include <stdatomic.h>
#include <stdio.h>

#include "../dispatch/dispatch.h"
#include "attributes.h"
#include "tensor.h"

#define NAME_BYTES 32

static OrtStatus* read_inputs(const OrtApi* api, const OrtShapeInferContext* context, eb_tensor* inputs, size_t* count,
                              const char** names) {
  OrtStatus* status = api->ShapeInferContext_GetInputCount(context, count);
  if (!status && *count > EB_MAX_INPUTS) return api->CreateStatus(ORT_INVALID_ARGUMENT, "edgebin: too many inputs");
  for (size_t i = 0; i < *count && !status; i++) {
    OrtShapeInfo* shape = NULL; /* the context's */
    inputs[i] = (eb_tensor){0};
    status = api->ShapeInferContext_GetInputTypeShape(context, i, &shape);
    if (!status) status = eb_ort_read_shape(api, shape, &inputs[i]);
    if (!status && i == 0) status = api->GetSymbolicDimensions(shape, names, inputs[i].rank);
  }
  return status;
}

/* Sizes that are not known have to have names, and no two the same that may differ. */
static OrtStatus* set_shape(const OrtApi* api, const eb_tensor* output, const char* const* names, OrtShapeInfo* shape) {
  static atomic_uint made;
  char made_names[EB_MAX_RANK][NAME_BYTES];
  const char* all[EB_MAX_RANK];
  for (size_t i = 0; i < output->rank; i++) {
    all[i] = output->dims[i] >= 0 ? "" : i + 1 < output->rank ? names[i] : NULL;
    if (output->dims[i] >= 0 || (all[i] && *all[i])) continue;
    snprintf(made_names[i], NAME_BYTES, "edgebin%u", atomic_fetch_add(&made, 1));
    all[i] = made_names[i];
  }
  OrtStatus* status = api->SetTensorElementType(shape, eb_ort_element_type(output->type));
  if (!status) status = api->SetDimensions(shape, output->dims, output->rank);
  return status ? status : api->SetSymbolicDimensions(shape, all, output->rank);
}

static OrtStatus* set_output(const OrtApi* api, OrtShapeInferContext* context, size_t index, const eb_tensor* output,
                             const char* const* names) {
  OrtShapeInfo* shape = NULL;
  OrtStatus* status = api->CreateTensorTypeAndShapeInfo(&shape);
  if (status) return status;
  status = set_shape(api, output, names, shape);
  if (!status) status = api->ShapeInferContext_SetOutputTypeShape(context, index, shape);
  api->ReleaseTensorTypeAndShapeInfo(shape);
  return status;
}

void eb_ort_infer(const char* op, const OrtApi* api, OrtShapeInferContext* context) {
  eb_tensor inputs[EB_MAX_INPUTS], outputs[EB_MAX_OUTPUTS];
  const char* names[EB_MAX_RANK] = {0};
  size_t input_count = 0, output_count = 0;
  char message[EB_MESSAGE_BYTES];
  OrtStatus* status = read_inputs(api, context, inputs, &input_count, names);
  if (!status) {
    eb_ort_attributes read;
    eb_ort_read_attributes(&(eb_ort_node){.api = api, .context = context}, &read);
    read.attributes.op = op;
    if (eb_infer_outputs(&read.attributes, inputs, input_count, outputs, &output_count, message)) output_count = 0;
    eb_ort_free_attributes(&read);
  }
  for (size_t i = 0; i < output_count && !status; i++) status = set_output(api, context, i, &outputs[i], names);
  if (status) api->ReleaseStatus(status);
}
