/* Types and shapes of a node's results, for files that do not say them. */
#ifndef EDGEBIN_ORT_INFER_H
#define EDGEBIN_ORT_INFER_H

#include "abi.h"

/* Gives them to `context`; nothing where they do not follow, as the file may say them, and as what is wrong with a node
 * is said when its kernel is made. */
void eb_ort_infer(const char* op, const OrtApi* api, OrtShapeInferContext* context);

#endif
