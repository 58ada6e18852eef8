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

/* Attributes that the node lacks stay 0. Free them whatever comes back. */
OrtStatus* eb_ort_read_attributes(const OrtApi* api, const OrtKernelInfo* info, eb_ort_attributes* read);
void eb_ort_free_attributes(eb_ort_attributes* read);

#endif
