/* TensorFlow Lite's C ABI, as far as a delegate needs it, without TensorFlow's headers.
 *
 * The structures of tensorflow/lite/core/c/common.h only grow at their ends. These are the fields up to the last one
 * read or written here, which lie the same in tflite_runtime 2.14 and ai-edge-litert 2.3; what differs between the two
 * (TfLiteFloatArray inside of affine quantization) is not touched: a tensor's single scale and zero point are in
 * `params`. tests/tflite/test_abi.py reads all of them in the real runtimes. */
#ifndef EDGEBIN_TFLITE_ABI_H
#define EDGEBIN_TFLITE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { TFLITE_OK = 0, TFLITE_ERROR = 1 } TfLiteStatus;
typedef enum {
  TFLITE_FLOAT32 = 1,
  TFLITE_INT32 = 2,
  TFLITE_UINT8 = 3,
  TFLITE_INT64 = 4,
  TFLITE_BOOL = 6,
  TFLITE_INT8 = 9,
} TfLiteType;
enum { TFLITE_MMAP_RO = 1, TFLITE_PERSISTENT_RO = 5 }; /* allocation types of constants */
enum { TFLITE_DELEGATE_ALLOWS_DYNAMIC_TENSORS = 1 };
enum { TFLITE_OPTIONAL_TENSOR = -1 };

typedef struct {
  int size;
  int data[];
} TfLiteIntArray;

typedef struct {
  float scale;
  int32_t zero_point;
} TfLiteQuantizationParams;

typedef struct TfLiteDelegate TfLiteDelegate;
typedef struct TfLiteContext TfLiteContext;
typedef struct TfLiteRegistration TfLiteRegistration;

typedef struct {
  int type;
  void* data;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  int allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  struct {
    int type;
    void* params;
  } quantization;
  void* sparsity;
  const TfLiteIntArray* dims_signature;
} TfLiteTensor;

typedef struct {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
  TfLiteDelegate* delegate;
} TfLiteNode;

/* Passed by value to the runtime, which copies as many bytes as its own version has: the newest known layout, then
 * zeros for versions to come. */
struct TfLiteRegistration {
  void* (*init)(TfLiteContext*, const char* buffer, size_t length);
  void (*free)(TfLiteContext*, void* self);
  TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*);
  TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*);
  const char* (*profiling_string)(const TfLiteContext*, const TfLiteNode*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  void* async_kernel;
  uint64_t inplace_operator;
  uint64_t reserved[8];
};

struct TfLiteDelegate {
  void* data;
  TfLiteStatus (*Prepare)(TfLiteContext*, TfLiteDelegate*);
  void* CopyFromBufferHandle;
  void* CopyToBufferHandle;
  void* FreeBufferHandle;
  int64_t flags;
  void* opaque_delegate_builder;
  uint64_t reserved[8];
};

/* What `init` of a delegate's kernel gets as its buffer. */
typedef struct {
  TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;
  TfLiteIntArray* output_tensors;
} TfLiteDelegateParams;

struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext*, TfLiteIntArray**);
  TfLiteTensor* tensors;
  void* impl;
  TfLiteStatus (*ResizeTensor)(TfLiteContext*, TfLiteTensor*, TfLiteIntArray* new_size); /* frees new_size */
  void (*ReportError)(TfLiteContext*, const char* format, ...);
  void* AddTensors;
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext*, int index, TfLiteNode**, TfLiteRegistration**);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext*, TfLiteRegistration, const TfLiteIntArray* nodes,
                                                        TfLiteDelegate*);
  int recommended_num_threads;
};

#define TFLITE_ASSERT_OFFSET(type, field, bytes) _Static_assert(offsetof(type, field) == (bytes), #type "." #field)
TFLITE_ASSERT_OFFSET(TfLiteTensor, data, 8);
TFLITE_ASSERT_OFFSET(TfLiteTensor, dims, 16);
TFLITE_ASSERT_OFFSET(TfLiteTensor, params, 24);
TFLITE_ASSERT_OFFSET(TfLiteTensor, allocation_type, 32);
TFLITE_ASSERT_OFFSET(TfLiteTensor, bytes, 40);
TFLITE_ASSERT_OFFSET(TfLiteTensor, name, 56);
TFLITE_ASSERT_OFFSET(TfLiteTensor, buffer_handle, 72);
TFLITE_ASSERT_OFFSET(TfLiteTensor, data_is_stale, 76);
TFLITE_ASSERT_OFFSET(TfLiteTensor, quantization, 80);
TFLITE_ASSERT_OFFSET(TfLiteTensor, dims_signature, 104);
_Static_assert(sizeof(TfLiteTensor) == 112, "TfLiteTensor: elements of context->tensors");
TFLITE_ASSERT_OFFSET(TfLiteNode, user_data, 32);
TFLITE_ASSERT_OFFSET(TfLiteNode, custom_initial_data, 48);
TFLITE_ASSERT_OFFSET(TfLiteNode, custom_initial_data_size, 56);
TFLITE_ASSERT_OFFSET(TfLiteNode, delegate, 64);
TFLITE_ASSERT_OFFSET(TfLiteRegistration, builtin_code, 40);
TFLITE_ASSERT_OFFSET(TfLiteRegistration, custom_name, 48);
TFLITE_ASSERT_OFFSET(TfLiteRegistration, version, 56);
TFLITE_ASSERT_OFFSET(TfLiteRegistration, registration_external, 64);
TFLITE_ASSERT_OFFSET(TfLiteRegistration, inplace_operator, 80);
TFLITE_ASSERT_OFFSET(TfLiteDelegate, flags, 40);
TFLITE_ASSERT_OFFSET(TfLiteContext, tensors, 16);
TFLITE_ASSERT_OFFSET(TfLiteContext, ResizeTensor, 32);
TFLITE_ASSERT_OFFSET(TfLiteContext, GetNodeAndRegistration, 56);
TFLITE_ASSERT_OFFSET(TfLiteContext, recommended_num_threads, 72);

#endif
