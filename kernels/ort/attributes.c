#include "attributes.h"

#include <stdlib.h>

/* `get` says how many bytes it wants when it is given none. NULL for what is not there, or if memory is. */
static char* read_text(const OrtApi* api, const OrtKernelInfo* info, const char* name) {
  size_t bytes = 0;
  char* text = NULL;
  OrtStatus* status = name ? api->KernelInfoGetAttribute_string(info, name, NULL, &bytes)
                           : api->KernelInfo_GetNodeName(info, NULL, &bytes);
  if (!status && bytes) {
    text = calloc(bytes + 1, 1);
    if (text) {
      status = name ? api->KernelInfoGetAttribute_string(info, name, text, &bytes)
                    : api->KernelInfo_GetNodeName(info, text, &bytes);
    }
  }
  if (status) api->ReleaseStatus(status);
  return text;
}

static void read_integer(const OrtApi* api, const OrtKernelInfo* info, const char* name, int64_t* value) {
  OrtStatus* status = api->KernelInfoGetAttribute_int64(info, name, value);
  if (status) {
    api->ReleaseStatus(status);
    *value = 0;
  }
}

OrtStatus* eb_ort_read_attributes(const OrtApi* api, const OrtKernelInfo* info, eb_ort_attributes* read) {
  *read = (eb_ort_attributes){0};
  eb_attributes* a = &read->attributes;
  read->name = read_text(api, info, NULL);
  const struct {
    const char *name, **text;
  } texts[] = {
      {"operands", &a->operands},
      {"results", &a->results},
      {"shapes", &a->shapes},
      {"variant", &a->variant},
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    read->texts[i] = read_text(api, info, texts[i].name);
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
    read_integer(api, info, integers[i].name, integers[i].value);
  }
  OrtStatus* status = api->KernelInfoGetAttribute_float(info, "epsilon", &a->epsilon);
  if (status) {
    api->ReleaseStatus(status);
    a->epsilon = 0;
  }
  return NULL;
}

void eb_ort_free_attributes(eb_ort_attributes* read) {
  free(read->name);
  for (size_t i = 0; i < EB_ORT_TEXTS; i++) free(read->texts[i]);
}
