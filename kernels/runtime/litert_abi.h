/* LiteRT's C API, as far as the runner needs it, without its headers. As in libLiteRt.so of ai-edge-litert 2.3; every
 * handle is a pointer. A TfLiteOpaqueDelegate is what kernels/tflite calls TfLiteDelegate. */
#ifndef EDGEBIN_RUNTIME_LITERT_ABI_H
#define EDGEBIN_RUNTIME_LITERT_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LITERT_OK = 0 };
enum { LITERT_CPU = 1 };                                          /* LiteRtHwAccelerators */
enum { LITERT_ANY_INT = 2 };                                      /* LiteRtAnyType */
enum { LITERT_AUTO_REGISTER = 24, LITERT_MIN_LOG_SEVERITY = 25 }; /* LiteRtEnvOptionTag */
enum { LITERT_LOG_ERRORS = 3 };

/* LiteRtElementType has TFLite's numbers. */
enum {
  LITERT_FLOAT32 = 1,
  LITERT_INT32 = 2,
  LITERT_UINT8 = 3,
  LITERT_INT64 = 4,
  LITERT_INT8 = 9,
  LITERT_FLOAT64 = 11,
};

typedef void* litert_handle;

typedef struct {
  int type;
  union {
    bool bool_value;
    int64_t int_value;
    double real_value;
    const void* pointer;
  } value;
} LiteRtAny;

typedef struct {
  int tag;
  LiteRtAny value;
} LiteRtEnvOption;

typedef struct {
  unsigned rank : 7;
  unsigned has_strides : 1;
  int32_t dimensions[8];
  uint32_t strides[8];
} LiteRtLayout;

typedef struct {
  int element_type;
  LiteRtLayout layout;
} LiteRtRankedTensorType;

typedef struct {
  int major, minor, patch;
} LiteRtApiVersion;

typedef int litert_create_delegate(litert_handle runtime, litert_handle environment, litert_handle accelerator,
                                   litert_handle options, litert_handle* wrapper);

_Static_assert(sizeof(LiteRtAny) == 16 && offsetof(LiteRtAny, value) == 8, "LiteRtAny");
_Static_assert(sizeof(LiteRtEnvOption) == 24 && offsetof(LiteRtEnvOption, value) == 8, "LiteRtEnvOption");
_Static_assert(sizeof(LiteRtLayout) == 68 && offsetof(LiteRtLayout, strides) == 36, "LiteRtLayout");
_Static_assert(sizeof(LiteRtRankedTensorType) == 72, "LiteRtRankedTensorType");

/* The functions, by name: LITERT(result, name, arguments). All but those of `void` return a status. */
#define LITERT_FUNCTIONS                                                                                          \
  LITERT(int, LiteRtCreateEnvironment, (int count, const LiteRtEnvOption*, litert_handle*))                       \
  LITERT(int, LiteRtCreateModelFromFile, (litert_handle environment, const char* path, litert_handle*))           \
  LITERT(int, LiteRtCreateOptions, (litert_handle*))                                                              \
  LITERT(int, LiteRtSetOptionsHardwareAccelerators, (litert_handle options, int set))                             \
  LITERT(int, LiteRtCreateOpaqueOptions, (const char* id, void* data, void (*release)(void*), litert_handle*))    \
  LITERT(int, LiteRtAddOpaqueOptions, (litert_handle options, litert_handle opaque))                              \
  LITERT(int, LiteRtCreateAccelerator, (litert_handle*))                                                          \
  LITERT(int, LiteRtSetAcceleratorGetName, (litert_handle, int (*)(litert_handle, const char**)))                 \
  LITERT(int, LiteRtSetAcceleratorGetVersion, (litert_handle, int (*)(litert_handle, LiteRtApiVersion*)))         \
  LITERT(int, LiteRtSetAcceleratorGetHardwareSupport, (litert_handle, int (*)(litert_handle, int*)))              \
  LITERT(int, LiteRtSetDelegateFunction, (litert_handle, litert_create_delegate*))                                \
  LITERT(int, LiteRtSetIsAcceleratorDelegateResponsibleForJitCompilation,                                         \
         (litert_handle, int (*)(litert_handle, bool*)))                                                          \
  LITERT(int, LiteRtRegisterAccelerator, (litert_handle environment, litert_handle, void* data, void (*)(void*))) \
  LITERT(int, LiteRtWrapDelegate, (void* delegate, void (*destroy)(void*), litert_handle*))                       \
  LITERT(int, LiteRtCreateCompiledModel,                                                                          \
         (litert_handle environment, litert_handle model, litert_handle options, litert_handle*))                 \
  LITERT(int, LiteRtGetModelSignature, (litert_handle model, size_t index, litert_handle*))                       \
  LITERT(int, LiteRtGetNumSignatureInputs, (litert_handle signature, size_t*))                                    \
  LITERT(int, LiteRtGetNumSignatureOutputs, (litert_handle signature, size_t*))                                   \
  LITERT(int, LiteRtGetSignatureInputName, (litert_handle signature, size_t index, const char**))                 \
  LITERT(int, LiteRtGetSignatureOutputName, (litert_handle signature, size_t index, const char**))                \
  LITERT(int, LiteRtGetSignatureInputTensorByIndex, (litert_handle signature, size_t index, litert_handle*))      \
  LITERT(int, LiteRtGetSignatureOutputTensorByIndex, (litert_handle signature, size_t index, litert_handle*))     \
  LITERT(int, LiteRtGetRankedTensorType, (litert_handle tensor, LiteRtRankedTensorType*))                         \
  LITERT(int, LiteRtCreateTensorBufferFromHostMemory,                                                             \
         (const LiteRtRankedTensorType*, void* memory, size_t bytes, void (*release)(void*), litert_handle*))     \
  LITERT(int, LiteRtRunCompiledModel,                                                                             \
         (litert_handle model, size_t signature, size_t input_count, litert_handle* inputs, size_t output_count,  \
          litert_handle* outputs))

#endif
