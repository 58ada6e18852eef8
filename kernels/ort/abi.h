/* The entries of onnxruntime's C API that edgebin calls or is called by, without onnxruntime's headers.
 *
 * OrtApi is a table of function pointers that only ever grows at its end, so an entry's position is part of the ABI.
 * Positions are those of API version 21 (onnxruntime 1.21), asserted below; every newer library serves that version. */
#ifndef EDGEBIN_ORT_ABI_H
#define EDGEBIN_ORT_ABI_H

#include <stddef.h>
#include <stdint.h>

enum { ORT_ABI_VERSION = 21 };
enum { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2 };
enum { ORT_LOGGING_WARNING = 2 };
enum { ORT_ARENA_ALLOCATOR = 1, ORT_MEMORY_DEFAULT = 0 };
enum {
  ORT_UNDEFINED = 0,
  ORT_TENSOR_FLOAT = 1,
  ORT_TENSOR_UINT8 = 2,
  ORT_TENSOR_INT8 = 3,
  ORT_TENSOR_INT32 = 6,
  ORT_TENSOR_INT64 = 7,
  ORT_TENSOR_DOUBLE = 11
};
enum { ORT_ATTRIBUTE_INT = 1, ORT_ATTRIBUTE_FLOAT = 3, ORT_ATTRIBUTE_STRING = 5 };
enum { ORT_REQUIRED = 0, ORT_OPTIONAL = 1, ORT_VARIADIC = 2 };

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtSession OrtSession;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtValue OrtValue;
typedef struct OrtShapeInfo OrtShapeInfo; /* OrtTensorTypeAndShapeInfo */
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtCustomOpDomain OrtCustomOpDomain;
typedef struct OrtCustomOp OrtCustomOp;
typedef struct OrtKernelInfo OrtKernelInfo;
typedef struct OrtKernelContext OrtKernelContext;
typedef struct OrtShapeInferContext OrtShapeInferContext;
typedef struct OrtOpAttr OrtOpAttr;

typedef struct {
  OrtStatus* (*CreateStatus)(int code, const char* message);
  void* unused_1[1];
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
  void* unused_25[1];
  OrtStatus* (*CreateCustomOpDomain)(const char* domain, OrtCustomOpDomain**);
  OrtStatus* (*CustomOpDomain_Add)(OrtCustomOpDomain*, const OrtCustomOp*);
  OrtStatus* (*AddCustomOpDomain)(OrtSessionOptions*, OrtCustomOpDomain*);
  void* unused_29[20];
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void* data, size_t bytes, const int64_t* shape,
                                               size_t rank, int element_type, OrtValue**);
  void* unused_50[1];
  OrtStatus* (*GetTensorMutableData)(OrtValue*, void**);
  void* unused_52[5];
  OrtStatus* (*CreateTensorTypeAndShapeInfo)(OrtShapeInfo**);
  OrtStatus* (*SetTensorElementType)(OrtShapeInfo*, int element_type);
  OrtStatus* (*SetDimensions)(OrtShapeInfo*, const int64_t* dims, size_t rank);
  OrtStatus* (*GetTensorElementType)(const OrtShapeInfo*, int* element_type);
  OrtStatus* (*GetDimensionsCount)(const OrtShapeInfo*, size_t* rank);
  OrtStatus* (*GetDimensions)(const OrtShapeInfo*, int64_t* dims, size_t rank);
  OrtStatus* (*GetSymbolicDimensions)(const OrtShapeInfo*, const char** names, size_t rank);
  OrtStatus* (*GetTensorShapeElementCount)(const OrtShapeInfo*, size_t*);
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue*, OrtShapeInfo**);
  void* unused_66[3];
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator, int memory_type, OrtMemoryInfo**);
  void* unused_70[8];
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
  void* unused_79[6];
  OrtStatus* (*KernelInfoGetAttribute_float)(const OrtKernelInfo*, const char* name, float*);
  OrtStatus* (*KernelInfoGetAttribute_int64)(const OrtKernelInfo*, const char* name, int64_t*);
  OrtStatus* (*KernelInfoGetAttribute_string)(const OrtKernelInfo*, const char* name, char* text, size_t* bytes);
  OrtStatus* (*KernelContext_GetInputCount)(const OrtKernelContext*, size_t*);
  OrtStatus* (*KernelContext_GetOutputCount)(const OrtKernelContext*, size_t*);
  OrtStatus* (*KernelContext_GetInput)(const OrtKernelContext*, size_t index, const OrtValue**);
  OrtStatus* (*KernelContext_GetOutput)(OrtKernelContext*, size_t index, const int64_t* dims, size_t rank, OrtValue**);
  void* unused_92[1];
  void (*ReleaseStatus)(OrtStatus*);
  void* unused_94[1];
  void (*ReleaseSession)(OrtSession*);
  void (*ReleaseValue)(OrtValue*);
  void* unused_97[2];
  void (*ReleaseTensorTypeAndShapeInfo)(OrtShapeInfo*);
  void* unused_100[10];
  OrtStatus* (*SessionEndProfiling)(OrtSession*, OrtAllocator*, char** file);
  void* unused_111[117];
  OrtStatus* (*RegisterCustomOpsLibrary_V2)(OrtSessionOptions*, const char* path);
  void* unused_229[1];
  OrtStatus* (*KernelInfo_GetInputCount)(const OrtKernelInfo*, size_t*);
  void* unused_231[13];
  OrtStatus* (*KernelInfo_GetNodeName)(const OrtKernelInfo*, char* text, size_t* bytes);
  void* unused_245[4];
  OrtStatus* (*KernelInfoGetConstantInput_tensor)(const OrtKernelInfo*, size_t index, int* is_constant,
                                                  const OrtValue**);
  void* unused_250[17];
  OrtStatus* (*ShapeInferContext_GetInputCount)(const OrtShapeInferContext*, size_t*);
  OrtStatus* (*ShapeInferContext_GetInputTypeShape)(const OrtShapeInferContext*, size_t index, OrtShapeInfo**);
  OrtStatus* (*ShapeInferContext_GetAttribute)(const OrtShapeInferContext*, const char* name, const OrtOpAttr**);
  OrtStatus* (*ShapeInferContext_SetOutputTypeShape)(const OrtShapeInferContext*, size_t index, const OrtShapeInfo*);
  OrtStatus* (*SetSymbolicDimensions)(OrtShapeInfo*, const char** names, size_t rank);
  OrtStatus* (*ReadOpAttr)(const OrtOpAttr*, int type, void* data, size_t bytes, size_t* needed);
  void* unused_273[1];
  OrtStatus* (*KernelContext_ParallelFor)(const OrtKernelContext*, void (*part)(void* call, size_t index), size_t count,
                                          size_t batches, void* call);
} OrtApi;

typedef struct {
  const OrtApi* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)(void);
} OrtApiBase;

/* A custom op, as onnxruntime calls it. `version` says how much of the struct there is. */
struct OrtCustomOp {
  uint32_t version;
  void* (*CreateKernel)(const OrtCustomOp*, const OrtApi*, const OrtKernelInfo*);
  const char* (*GetName)(const OrtCustomOp*);
  const char* (*GetExecutionProviderType)(const OrtCustomOp*);
  int (*GetInputType)(const OrtCustomOp*, size_t index);
  size_t (*GetInputTypeCount)(const OrtCustomOp*);
  int (*GetOutputType)(const OrtCustomOp*, size_t index);
  size_t (*GetOutputTypeCount)(const OrtCustomOp*);
  void (*KernelCompute)(void* kernel, OrtKernelContext*);
  void (*KernelDestroy)(void* kernel);
  int (*GetInputCharacteristic)(const OrtCustomOp*, size_t index);
  int (*GetOutputCharacteristic)(const OrtCustomOp*, size_t index);
  int (*GetInputMemoryType)(const OrtCustomOp*, size_t index);
  int (*GetVariadicInputMinArity)(const OrtCustomOp*);
  int (*GetVariadicInputHomogeneity)(const OrtCustomOp*);
  int (*GetVariadicOutputMinArity)(const OrtCustomOp*);
  int (*GetVariadicOutputHomogeneity)(const OrtCustomOp*);
  OrtStatus* (*CreateKernelV2)(const OrtCustomOp*, const OrtApi*, const OrtKernelInfo*, void** kernel);
  OrtStatus* (*KernelComputeV2)(void* kernel, OrtKernelContext*);
  OrtStatus* (*InferOutputShapeFn)(const OrtCustomOp*, OrtShapeInferContext*);
  int (*GetStartVersion)(const OrtCustomOp*);
  int (*GetEndVersion)(const OrtCustomOp*);
  size_t (*GetMayInplace)(int** inputs, int** outputs);
  void (*ReleaseMayInplace)(int* inputs, int* outputs);
  size_t (*GetAliasMap)(int** inputs, int** outputs);
  void (*ReleaseAliasMap)(int* inputs, int* outputs);
};
_Static_assert(sizeof(OrtCustomOp) == 26 * sizeof(void*), "OrtCustomOp");

#define ORT_ASSERT_SLOT(name, slot) _Static_assert(offsetof(OrtApi, name) == (slot) * sizeof(void*), #name)
ORT_ASSERT_SLOT(CreateStatus, 0);
ORT_ASSERT_SLOT(GetErrorMessage, 2);
ORT_ASSERT_SLOT(CreateEnv, 3);
ORT_ASSERT_SLOT(CreateSession, 7);
ORT_ASSERT_SLOT(Run, 9);
ORT_ASSERT_SLOT(CreateSessionOptions, 10);
ORT_ASSERT_SLOT(EnableProfiling, 14);
ORT_ASSERT_SLOT(SetIntraOpNumThreads, 24);
ORT_ASSERT_SLOT(CreateCustomOpDomain, 26);
ORT_ASSERT_SLOT(CustomOpDomain_Add, 27);
ORT_ASSERT_SLOT(AddCustomOpDomain, 28);
ORT_ASSERT_SLOT(CreateTensorWithDataAsOrtValue, 49);
ORT_ASSERT_SLOT(GetTensorMutableData, 51);
ORT_ASSERT_SLOT(CreateTensorTypeAndShapeInfo, 57);
ORT_ASSERT_SLOT(SetTensorElementType, 58);
ORT_ASSERT_SLOT(SetDimensions, 59);
ORT_ASSERT_SLOT(GetTensorElementType, 60);
ORT_ASSERT_SLOT(GetDimensionsCount, 61);
ORT_ASSERT_SLOT(GetDimensions, 62);
ORT_ASSERT_SLOT(GetSymbolicDimensions, 63);
ORT_ASSERT_SLOT(GetTensorShapeElementCount, 64);
ORT_ASSERT_SLOT(GetTensorTypeAndShape, 65);
ORT_ASSERT_SLOT(CreateCpuMemoryInfo, 69);
ORT_ASSERT_SLOT(GetAllocatorWithDefaultOptions, 78);
ORT_ASSERT_SLOT(KernelInfoGetAttribute_float, 85);
ORT_ASSERT_SLOT(KernelInfoGetAttribute_int64, 86);
ORT_ASSERT_SLOT(KernelInfoGetAttribute_string, 87);
ORT_ASSERT_SLOT(KernelContext_GetInputCount, 88);
ORT_ASSERT_SLOT(KernelContext_GetOutputCount, 89);
ORT_ASSERT_SLOT(KernelContext_GetInput, 90);
ORT_ASSERT_SLOT(KernelContext_GetOutput, 91);
ORT_ASSERT_SLOT(ReleaseStatus, 93);
ORT_ASSERT_SLOT(ReleaseSession, 95);
ORT_ASSERT_SLOT(ReleaseValue, 96);
ORT_ASSERT_SLOT(ReleaseTensorTypeAndShapeInfo, 99);
ORT_ASSERT_SLOT(SessionEndProfiling, 110);
ORT_ASSERT_SLOT(RegisterCustomOpsLibrary_V2, 228);
ORT_ASSERT_SLOT(KernelInfo_GetInputCount, 230);
ORT_ASSERT_SLOT(KernelInfo_GetNodeName, 244);
ORT_ASSERT_SLOT(KernelInfoGetConstantInput_tensor, 249);
ORT_ASSERT_SLOT(ShapeInferContext_GetInputCount, 267);
ORT_ASSERT_SLOT(ShapeInferContext_GetInputTypeShape, 268);
ORT_ASSERT_SLOT(ShapeInferContext_GetAttribute, 269);
ORT_ASSERT_SLOT(ShapeInferContext_SetOutputTypeShape, 270);
ORT_ASSERT_SLOT(SetSymbolicDimensions, 271);
ORT_ASSERT_SLOT(ReadOpAttr, 272);
ORT_ASSERT_SLOT(KernelContext_ParallelFor, 274);

#endif
