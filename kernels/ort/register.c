/* The library's one entry: onnxruntime finds `RegisterCustomOps` by name and gives it the options of a session. */
#include <stdatomic.h>

#include "../dispatch/dispatch.h"
#include "infer.h"
#include "kernel.h"

#define MOST_OPS 32

/* Set before any domain is: onnxruntime does not pass it when it asks for types. */
static _Atomic(const OrtApi*) the_api;

static const char* name_of(const OrtCustomOp* op);
static const char* provider(const OrtCustomOp* op) {
  (void)op;
  return "CPUExecutionProvider";
}

static int any_type(const OrtCustomOp* op, size_t index) {
  (void)op, (void)index;
  return ORT_UNDEFINED;
}

static int variadic(const OrtCustomOp* op, size_t index) {
  (void)op, (void)index;
  return ORT_VARIADIC;
}

static int default_memory(const OrtCustomOp* op, size_t index) {
  (void)op, (void)index;
  return ORT_MEMORY_DEFAULT;
}

static size_t one_list(const OrtCustomOp* op) {
  (void)op;
  return 1;
}

static int one(const OrtCustomOp* op) {
  (void)op;
  return 1;
}

static int mixed_types(const OrtCustomOp* op) {
  (void)op;
  return 0;
}

static int newest_version(const OrtCustomOp* op) {
  (void)op;
  return INT32_MAX;
}

static OrtStatus* create(const OrtCustomOp* op, const OrtApi* api, const OrtKernelInfo* info, void** kernel) {
  return eb_ort_create(name_of(op), api, info, kernel);
}

static OrtStatus* infer(const OrtCustomOp* op, OrtShapeInferContext* context) {
  eb_ort_infer(name_of(op), atomic_load(&the_api), context);
  return NULL;
}

/* All alike: which op one is, its place says. */
static const OrtCustomOp kOps[MOST_OPS] = {[0 ... MOST_OPS - 1] = {
                                               .version = ORT_ABI_VERSION,
                                               .GetName = name_of,
                                               .GetExecutionProviderType = provider,
                                               .GetInputType = any_type,
                                               .GetInputTypeCount = one_list,
                                               .GetOutputType = any_type,
                                               .GetOutputTypeCount = one_list,
                                               .KernelDestroy = eb_ort_destroy,
                                               .GetInputCharacteristic = variadic,
                                               .GetOutputCharacteristic = variadic,
                                               .GetInputMemoryType = default_memory,
                                               .GetVariadicInputMinArity = one,
                                               .GetVariadicInputHomogeneity = mixed_types,
                                               .GetVariadicOutputMinArity = one,
                                               .GetVariadicOutputHomogeneity = mixed_types,
                                               .CreateKernelV2 = create,
                                               .KernelComputeV2 = eb_ort_compute,
                                               .InferOutputShapeFn = infer,
                                               .GetStartVersion = one,
                                               .GetEndVersion = newest_version,
                                           }};

static const char* name_of(const OrtCustomOp* op) { return eb_op_name((size_t)(op - kOps)); }

static OrtStatus* make_domain(const OrtApi* api, OrtCustomOpDomain** domain) {
  OrtStatus* status = api->CreateCustomOpDomain("edgebin", domain);
  for (size_t i = 0; !status && i < MOST_OPS && eb_op_name(i); i++) status = api->CustomOpDomain_Add(*domain, &kOps[i]);
  return status;
}

/* The domain has to outlive all sessions, and only onnxruntime knows when these end: there is one, made once. */
__attribute__((visibility("default"))) OrtStatus* RegisterCustomOps(OrtSessionOptions* options,
                                                                    const OrtApiBase* base) {
  static _Atomic(OrtCustomOpDomain*) the_domain;
  const OrtApi* api = base->GetApi(ORT_ABI_VERSION);
  if (!api) return base->GetApi(1)->CreateStatus(ORT_FAIL, "edgebin: onnxruntime 1.21 or newer is needed");
  atomic_store(&the_api, api);
  OrtCustomOpDomain* domain = atomic_load(&the_domain);
  if (!domain) {
    OrtStatus* status = make_domain(api, &domain);
    if (status) return status;
    OrtCustomOpDomain* other = NULL;
    if (!atomic_compare_exchange_strong(&the_domain, &other, domain)) domain = other;
  }
  return api->AddCustomOpDomain(options, domain);
}
