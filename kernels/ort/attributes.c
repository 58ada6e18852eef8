#include "attributes.h"

#include <stdlib.h>

/* Of `type`, ORT_ATTRIBUTE_*. `bytes` becomes how many it has, also where they are more than it was. */
static OrtStatus* read_inferred(const eb_ort_node* node, const char* name, int type, void* data, size_t* bytes) {
  const OrtOpAttr* attribute = NULL;
  OrtStatus* status = node->api->ShapeInferContext_GetAttribute(node->context, name, &attribute);
  return status ? status : node->api->ReadOpAttr(attribute, type, data, *bytes, bytes);
}

/* Nameless: the node's own name. */
static OrtStatus* get_text(const eb_ort_node* node, const char* name, char* text, size_t* bytes) {
  if (node->context) return read_inferred(node, name, ORT_ATTRIBUTE_STRING, text, bytes);
  return name ? node->api->KernelInfoGetAttribute_string(node->info, name, text, bytes)
              : node->api->KernelInfo_GetNodeName(node->info, text, bytes);
}

/* Whether there was none. */
static int failed(const eb_ort_node* node, OrtStatus* status) {
  if (status) node->api->ReleaseStatus(status);
  return status != NULL;
}

/* NULL for what is not there, or if memory is. */
static char* read_text(const eb_ort_node* node, const char* name) {
  size_t bytes = 0;
  failed(node, get_text(node, name, NULL, &bytes)); /* how many bytes; an error in one of the two ways */
  char* text = bytes ? calloc(bytes + 1, 1) : NULL;
  if (text && failed(node, get_text(node, name, text, &bytes))) *text = 0;
  return text;
}

static void read_integer(const eb_ort_node* node, const char* name, int64_t* value) {
  size_t bytes = sizeof(*value);
  OrtStatus* status = node->context ? read_inferred(node, name, ORT_ATTRIBUTE_INT, value, &bytes)
                                    : node->api->KernelInfoGetAttribute_int64(node->info, name, value);
  if (failed(node, status)) *value = 0;
}

static void read_float(const eb_ort_node* node, const char* name, float* value) {
  size_t bytes = sizeof(*value);
  OrtStatus* status = node->context ? read_inferred(node, name, ORT_ATTRIBUTE_FLOAT, value, &bytes)
                                    : node->api->KernelInfoGetAttribute_float(node->info, name, value);
  if (failed(node, status)) *value = 0;
}

void eb_ort_read_attributes(const eb_ort_node* node, eb_ort_attributes* read) {
  *read = (eb_ort_attributes){0};
  eb_attributes* a = &read->attributes;
  if (node->info) read->name = read_text(node, NULL);
  const struct {
    const char *name, **text;
  } texts[] = {
      {"operands", &a->operands},
      {"results", &a->results},
      {"shapes", &a->shapes},
      {"variant", &a->variant},
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    read->texts[i] = read_text(node, texts[i].name);
    *texts[i].text = read->texts[i];
  }
  const struct {
    const char* name;
    int64_t* value;
  } integers[] = {
      {"k", &a->k},           {"pool", &a->pool},         {"kernel", &a->kernel}, {"dilation", &a->dilation},
      {"groups", &a->groups}, {"channels", &a->channels}, {"heads", &a->heads},   {"head_dim", &a->head_dim},
      {"drop", &a->drop},     {"circular", &a->circular},
  };
  for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
    read_integer(node, integers[i].name, integers[i].value);
  }
  read_float(node, "epsilon", &a->epsilon);
}

void eb_ort_free_attributes(eb_ort_attributes* read) {
  free(read->name);
  for (size_t i = 0; i < EB_ORT_TEXTS; i++) free(read->texts[i]);
}
