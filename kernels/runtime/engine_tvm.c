/* A compiled module in TVM's virtual machine, through the stable C ABI of tvm-ffi. C, not C++: a C++ program linked by
 * zig would bring a second C++ runtime into the process, and the two break each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tvm/ffi/c_api.h>

#include "engine.h"
#include "fail.h"
#include "instrument.h"

/* tvm/runtime/memory/memory_manager.h: AllocatorType::kPooled */
#define POOLED_ALLOCATOR 2
/* tvm/runtime/threading_backend.h: ThreadGroup::AffinityMode::kBig */
#define THREADS_ON_BIG_CORES 1

const char eb_engine_model[] = "module.so";

typedef struct {
  TVMFFIAny machine;
  TVMFFIAny entry;
  TVMFFIAny inputs[EB_MAX_ARRAYS]; /* tensors over engine->inputs, which the fields below describe */
  int64_t strides[EB_MAX_ARRAYS][EB_MAX_DIMENSIONS];
  DLManagedTensor tensors[EB_MAX_ARRAYS];
  edgebin_observer* observer;
  void* observer_self;
} vm_state;

static void check(int code, const char* what) {
  if (code == 0) return;
  TVMFFIObjectHandle error = NULL;
  TVMFFIErrorMoveFromRaised(&error);
  if (!error) eb_fail(EB_EXIT_UNFORESEEN, "%s failed without saying why", what);
  const TVMFFIErrorCell* cell = (const TVMFFIErrorCell*)((const char*)error + sizeof(TVMFFIObject));
  eb_fail(EB_EXIT_UNFORESEEN, "%s: %.*s", what, (int)cell->message.size, cell->message.data);
}

/* An argument with no value yet: TVM wants the unused bytes to be zero. */
static TVMFFIAny any(int32_t type_index) {
  TVMFFIAny value;
  memset(&value, 0, sizeof value);
  value.type_index = type_index;
  return value;
}
static TVMFFIAny text(const char* string) {
  TVMFFIAny value = any(kTVMFFIRawStr);
  value.v_c_str = string;
  return value;
}
static TVMFFIAny integer(int32_t type_index, int64_t number) {
  TVMFFIAny value = any(type_index);
  value.v_int64 = number;
  return value;
}

static TVMFFIAny call(TVMFFIObjectHandle function, TVMFFIAny* arguments, int count, const char* what) {
  TVMFFIAny result = any(kTVMFFINone);
  check(TVMFFIFunctionCall(function, arguments, count, &result), what);
  return result;
}

static void release(TVMFFIAny value) {
  if (value.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(value.v_obj);
}

static TVMFFIAny call_global(const char* name, TVMFFIAny* arguments, int count) {
  const TVMFFIByteArray key = {name, strlen(name)};
  TVMFFIObjectHandle function = NULL;
  check(TVMFFIFunctionGetGlobal(&key, &function), name);
  if (!function) eb_fail(EB_EXIT_UNFORESEEN, "libtvm_runtime has no `%s`: it belongs to another TVM", name);
  const TVMFFIAny result = call(function, arguments, count, name);
  TVMFFIObjectDecRef(function);
  return result;
}

static TVMFFIAny method(TVMFFIAny module, const char* name) {
  TVMFFIAny arguments[] = {module, text(name), integer(kTVMFFIBool, 1)};
  const TVMFFIAny function = call_global("ffi.ModuleGetFunction", arguments, 3);
  if (function.type_index == kTVMFFINone) eb_fail(EB_EXIT_INPUT, "the module has no function `%s`", name);
  return function;
}

static TVMFFIAny call_method(TVMFFIAny module, const char* name, TVMFFIAny* arguments, int count) {
  const TVMFFIAny function = method(module, name);
  const TVMFFIAny result = call(function.v_obj, arguments, count, name);
  release(function);
  return result;
}

/* Before the module is loaded. */
static void set_threads(int threads) {
  char number[16];
  snprintf(number, sizeof number, "%d", threads);
  setenv("TVM_NUM_THREADS", number, 1);
  setenv("TVM_BIND_THREADS", "0", 1); /* else the pool would override --pin */
  if (threads == 1) return;           /* the pool runs a single task in the caller, and need not exist */
  TVMFFIAny arguments[] = {integer(kTVMFFIInt, THREADS_ON_BIG_CORES), integer(kTVMFFIInt, threads)};
  release(call_global("runtime.config_threadpool", arguments, 2));
}

/* The buffers live as long as the program. */
static void keep(DLManagedTensor* tensor) { (void)tensor; }

static DLDataType dl_type(const eb_dtype* dtype) {
  const int code = dtype->kind == 'f' ? kDLFloat : dtype->kind == 'u' ? kDLUInt : kDLInt;
  return (DLDataType){(uint8_t)code, (uint8_t)(dtype->item_bytes * 8), 1};
}

static TVMFFIAny input_tensor(eb_array* buffer, int64_t* strides, DLManagedTensor* managed) {
  int64_t stride = 1;
  for (int d = buffer->dimensions - 1; d >= 0; stride *= buffer->shape[d--]) strides[d] = stride;
  managed->dl_tensor = (DLTensor){
      .data = buffer->data,
      .device = {kDLCPU, 0},
      .ndim = buffer->dimensions,
      .dtype = dl_type(buffer->dtype),
      .shape = buffer->shape,
      .strides = strides,
  };
  managed->deleter = keep;
  TVMFFIAny tensor = any(kTVMFFITensor);
  TVMFFIObjectHandle handle = NULL;
  check(TVMFFITensorFromDLPack(managed, 64, 1, &handle), "wrapping an input");
  tensor.v_obj = handle;
  return tensor;
}

void eb_engine_load(eb_engine* engine, const eb_spec* spec, const eb_engine_options* options) {
  set_threads(options->threads);
  vm_state* vm = engine->state = eb_allocate(sizeof *vm);
  engine->spec = spec;
  TVMFFIAny path = text(options->model);
  const TVMFFIAny library = call_global("ffi.ModuleLoadFromFile", &path, 1);
  vm->machine = call_method(library, "vm_load_executable", NULL, 0);
  TVMFFIAny device[] = {integer(kTVMFFIInt, kDLCPU), integer(kTVMFFIInt, 0), integer(kTVMFFIInt, POOLED_ALLOCATOR)};
  release(call_method(vm->machine, "vm_initialization", device, 3));
  vm->entry = method(vm->machine, "main");
  for (int i = 0; i < spec->inputs.count; i++) {
    engine->inputs[i] = eb_array_with_rows(&spec->inputs.items[i], spec->batch);
    vm->inputs[i] = input_tensor(&engine->inputs[i], vm->strides[i], &vm->tensors[i]);
  }
}

static void copy_output(const TVMFFIAny* value, eb_array* output) {
  if (value->type_index != kTVMFFITensor) eb_fail(EB_EXIT_INPUT, "output `%s` is not a tensor", output->name);
  const DLTensor* tensor = (const DLTensor*)((const char*)value->v_obj + sizeof(TVMFFIObject));
  const DLDataType want = dl_type(output->dtype);
  int same = tensor->ndim == output->dimensions && !memcmp(&tensor->dtype, &want, sizeof want);
  for (int d = 0; same && d < output->dimensions; d++) same = tensor->shape[d] == output->shape[d];
  if (!same) eb_fail(EB_EXIT_INPUT, "output `%s` is not what io.txt says", output->name);
  memcpy(output->data, (const char*)tensor->data + tensor->byte_offset, eb_array_bytes(output));
}

void eb_engine_run(eb_engine* engine, eb_arrays* outputs) {
  vm_state* vm = engine->state;
  const TVMFFIAny result = call(vm->entry.v_obj, vm->inputs, engine->spec->inputs.count, "running the model");
  if (outputs && outputs->count == 1) {
    copy_output(&result, &outputs->items[0]);
  } else if (outputs) {
    if (result.type_index != kTVMFFIArray) eb_fail(EB_EXIT_INPUT, "the model does not give several outputs");
    const TVMFFISeqCell* results = (const TVMFFISeqCell*)((const char*)result.v_obj + sizeof(TVMFFIObject));
    if (results->size != outputs->count) eb_fail(EB_EXIT_INPUT, "the number of outputs is not what io.txt says");
    for (int i = 0; i < outputs->count; i++) copy_output((const TVMFFIAny*)results->data + i, &outputs->items[i]);
  }
  release(result);
}

static TVMFFIByteArray text_of(const TVMFFIAny* value) {
  switch (value->type_index) {
    case kTVMFFIStr:
      return *(const TVMFFIByteArray*)((const char*)value->v_obj + sizeof(TVMFFIObject));
    case kTVMFFISmallStr:
      return (TVMFFIByteArray){value->v_bytes, value->small_str_len};
    case kTVMFFIRawStr:
      return (TVMFFIByteArray){value->v_c_str, strlen(value->v_c_str)};
    default:
      return (TVMFFIByteArray){"?", 1};
  }
}

static eb_type type_of(DLDataType type) {
  if (type.lanes != 1) return EB_NO_TYPE;
  if (type.code == kDLFloat && type.bits == 32) return EB_F32;
  if (type.code == kDLUInt && type.bits == 8) return EB_U8;
  if (type.code == kDLInt && type.bits == 32) return EB_I32;
  return type.code == kDLInt && type.bits == 64 ? EB_I64 : EB_NO_TYPE;
}

static eb_tensor described(const DLTensor* tensor) {
  if (tensor->ndim > EB_MAX_RANK) return (eb_tensor){.type = EB_NO_TYPE};
  eb_tensor result = {type_of(tensor->dtype), (size_t)tensor->ndim, {0}, (char*)tensor->data + tensor->byte_offset};
  memcpy(result.dims, tensor->shape, result.rank * sizeof *result.dims);
  return result;
}

/* VirtualMachine::SetInstrument: arguments are function, name, before (bool), result, then the function's own, into the
 * last of which it writes. */
static int on_call(void* self, const TVMFFIAny* arguments, int32_t count, TVMFFIAny* result) {
  const vm_state* vm = self;
  result->type_index = kTVMFFINone;
  if (count < 3 || !vm->observer) return 0;
  const TVMFFIByteArray text = text_of(&arguments[1]);
  char name[2 * EB_MAX_NAME];
  const size_t bytes = text.size < sizeof name ? text.size : sizeof name - 1;
  memcpy(name, text.data, bytes);
  name[bytes] = '\0';
  const int after = !arguments[2].v_int64;
  if (after && count > 4 && arguments[count - 1].type_index == kTVMFFITensor) {
    const eb_tensor output =
        described((const DLTensor*)((const char*)arguments[count - 1].v_obj + sizeof(TVMFFIObject)));
    vm->observer(vm->observer_self, name, &output, 1, after);
  } else {
    vm->observer(vm->observer_self, name, NULL, 0, after);
  }
  return 0;
}

void eb_engine_observe(eb_engine* engine, edgebin_observer* observer, void* self) {
  vm_state* vm = engine->state;
  const int first = !vm->observer;
  vm->observer = observer;
  vm->observer_self = self;
  if (!observer || !first) return;
  TVMFFIAny function = any(kTVMFFIFunction);
  TVMFFIObjectHandle handle = NULL;
  check(TVMFFIFunctionCreate(vm, on_call, NULL, &handle), "making the instrument");
  function.v_obj = handle;
  release(call_method(vm->machine, "set_instrument", &function, 1));
  TVMFFIObjectDecRef(handle);
}

void eb_engine_time(eb_engine* engine, int64_t runs, eb_functions* functions) {
  eb_instrument_time(engine, runs, functions, NULL);
}
