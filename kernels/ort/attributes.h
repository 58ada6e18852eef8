/* A node's attributes and name. */
#ifndef EDGEBIN_ORT_ATTRIBUTES_H
#define EDGEBIN_ORT_ATTRIBUTES_H

#include "../dispatch/dispatch.h"
#include "abi.h"

#define EB_ORT_TEXTS 5

/* The attributes with the memory of their texts. */
typedef struct {
  eb_attributes attributes;
  char* name;
  char* texts[EB_ORT_TEXTS];
} eb_ort_attributes;

/* A node as onnxruntime shows it: to a kernel (`info`), or, without a name, while types are inferred (`context`). */
typedef struct {
  const OrtApi* api;
  const OrtKernelInfo* info;
  const OrtShapeInferContext* context;
} eb_ort_node;

/* Attributes that the node lacks stay 0. Free them. */
void eb_ort_read_attributes(const eb_ort_node* node, eb_ort_attributes* read);
void eb_ort_free_attributes(eb_ort_attributes* read);

#endif
