#include "layers.h"

#include <stdio.h>
#include <string.h>

#include "inference.h"
#include "json.h"

static int describe(const DLTensor* tensor, eb_array* array) {
  if (tensor->ndim > EB_MAX_DIMENSIONS || tensor->dtype.lanes != 1) return 0;
  static const char* const known[] = {"float32", "float64", "int8", "int32", "int64", "uint8"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    const eb_dtype* dtype = eb_dtype_by_name(known[i]);
    if (dtype && dtype->dlpack_code == tensor->dtype.code && dtype->item_bytes * 8 == tensor->dtype.bits) {
      array->dtype = dtype;
    }
  }
  if (!array->dtype) return 0;
  array->dimensions = tensor->ndim;
  memcpy(array->shape, tensor->shape, (size_t)tensor->ndim * sizeof *array->shape);
  array->data = (char*)tensor->data + tensor->byte_offset;
  return 1;
}

/* Functions write their results into their last arguments. */
static int on_call(void* self, const TVMFFIAny* arguments, int32_t count, TVMFFIAny* result) {
  const int64_t batch = *(const int64_t*)self;
  result->type_index = kTVMFFINone;
  if (count < 5 || arguments[2].v_int64 || arguments[count - 1].type_index != kTVMFFITensor) return 0;
  const DLTensor* tensor = (const DLTensor*)((const char*)arguments[count - 1].v_obj + sizeof(TVMFFIObject));
  eb_array array = {0};
  if (!describe(tensor, &array)) return 0;
  const int64_t elements = eb_array_elements(&array) / batch;
  const int64_t step = elements > EB_LAYER_SAMPLES ? elements / EB_LAYER_SAMPLES : 1;
  double values[EB_LAYER_SAMPLES];
  int64_t taken = 0;
  for (; taken < EB_LAYER_SAMPLES && taken * step < elements; taken++) {
    values[taken] = eb_array_value(&array, taken * step);
  }
  const TVMFFIByteArray name = eb_vm_text(&arguments[1]);
  char text[EB_MAX_NAME * 2];
  snprintf(text, sizeof text, "%.*s", (int)name.size, name.data);
  eb_json_open_object(NULL);
  eb_json_string("function", text);
  eb_json_numbers("values", values, taken);
  eb_json_close_object();
  return 0;
}

void eb_report_layers(eb_vm* vm) {
  int64_t batch = vm->spec->batch;
  eb_json_open_list("layers");
  eb_vm_set_instrument(vm, on_call, &batch);
  eb_run_batch_ns(vm, NULL, 0);
  eb_json_close_list();
}
