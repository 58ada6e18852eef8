"""Our libraries inside other runtimes: what each layer executes on ARM, beside the TVM module's same layer."""
