/* The few entries of onnxruntime's C API that the runner and the baseline call, without onnxruntime's headers.
 *
 * OrtApi is a table of function pointers that only ever grows at its end, so an entry's position is part of the ABI.
 * Positions are those of API version 21 (onnxruntime 1.21), asserted below; every newer library serves that version. */
#ifndef EDGEBIN_ORT_ABI_H
#define EDGEBIN_ORT_ABI_H

#include <stddef.h>
#include <stdint.h>

enum { ORT_ABI_VERSION = 21 };
enum { ORT_LOGGING_WARNING = 2 };
enum { ORT_ARENA_ALLOCATOR = 1, ORT_MEMORY_DEFAULT = 0 };
enum {
  ORT_TENSOR_FLOAT = 1,
  ORT_TENSOR_UINT8 = 2,
  ORT_TENSOR_INT8 = 3,
  ORT_TENSOR_INT32 = 6,
  ORT_TENSOR_INT64 = 7,
  ORT_TENSOR_DOUBLE = 11
};

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtSession OrtSession;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtValue OrtValue;
typedef struct OrtShapeInfo OrtShapeInfo;
typedef struct OrtAllocator OrtAllocator;

typedef struct {
  void* unused_0[2];
  const char* (*GetErrorMessage)(const OrtStatus*);
  OrtStatus* (*CreateEnv)(int logging_level, const char* id, OrtEnv**);
  void* unused_4[3];
  OrtStatus* (*CreateSession)(const OrtEnv*, const char* model_path, const OrtSessionOptions*, OrtSession**);
  void* unused_8[1];
  OrtStatus* (*Run)(OrtSession*, const void* run_options, const char* const* input_names, const OrtValue* const* inputs,
                    size_t input_count, const char* const* output_names, size_t output_count, OrtValue** outputs);
  OrtStatus* (*CreateSessionOptions)(OrtSessionOptions**);
  void* unused_11[3];
  OrtStatus* (*EnableProfiling)(OrtSessionOptions*, const char* file_prefix);
  void* unused_15[9];
  OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions*, int threads);
  void* unused_25[24];
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void* data, size_t bytes, const int64_t* shape,
                                               size_t rank, int element_type, OrtValue**);
  void* unused_50[1];
  OrtStatus* (*GetTensorMutableData)(OrtValue*, void**);
  void* unused_52[8];
  OrtStatus* (*GetTensorElementType)(const OrtShapeInfo*, int*);
  OrtStatus* (*GetDimensionsCount)(const OrtShapeInfo*, size_t*);
  OrtStatus* (*GetDimensions)(const OrtShapeInfo*, int64_t* dims, size_t rank);
  void* unused_63[1];
  OrtStatus* (*GetTensorShapeElementCount)(const OrtShapeInfo*, size_t*);
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue*, OrtShapeInfo**);
  void* unused_66[3];
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator, int memory_type, OrtMemoryInfo**);
  void* unused_70[8];
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
  void* unused_79[16];
  void (*ReleaseSession)(OrtSession*);
  void (*ReleaseValue)(OrtValue*);
  void* unused_97[2];
  void (*ReleaseTensorTypeAndShapeInfo)(OrtShapeInfo*);
  void* unused_100[10];
  OrtStatus* (*SessionEndProfiling)(OrtSession*, OrtAllocator*, char** file);
} OrtApi;

typedef struct {
  const OrtApi* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)(void);
} OrtApiBase;

#define ORT_ASSERT_SLOT(name, slot) _Static_assert(offsetof(OrtApi, name) == (slot) * sizeof(void*), #name)
ORT_ASSERT_SLOT(GetErrorMessage, 2);
ORT_ASSERT_SLOT(CreateEnv, 3);
ORT_ASSERT_SLOT(CreateSession, 7);
ORT_ASSERT_SLOT(Run, 9);
ORT_ASSERT_SLOT(CreateSessionOptions, 10);
ORT_ASSERT_SLOT(EnableProfiling, 14);
ORT_ASSERT_SLOT(SetIntraOpNumThreads, 24);
ORT_ASSERT_SLOT(CreateTensorWithDataAsOrtValue, 49);
ORT_ASSERT_SLOT(GetTensorMutableData, 51);
ORT_ASSERT_SLOT(GetTensorElementType, 60);
ORT_ASSERT_SLOT(GetDimensionsCount, 61);
ORT_ASSERT_SLOT(GetDimensions, 62);
ORT_ASSERT_SLOT(GetTensorShapeElementCount, 64);
ORT_ASSERT_SLOT(GetTensorTypeAndShape, 65);
ORT_ASSERT_SLOT(CreateCpuMemoryInfo, 69);
ORT_ASSERT_SLOT(GetAllocatorWithDefaultOptions, 78);
ORT_ASSERT_SLOT(ReleaseSession, 95);
ORT_ASSERT_SLOT(ReleaseValue, 96);
ORT_ASSERT_SLOT(ReleaseTensorTypeAndShapeInfo, 99);
ORT_ASSERT_SLOT(SessionEndProfiling, 110);

#endif
