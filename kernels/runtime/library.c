#include "library.h"

#include <dlfcn.h>

#include "fail.h"

void* eb_library_open(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) eb_fail(EB_EXIT_UNFORESEEN, "%s", dlerror());
  return library;
}

void* eb_library_symbol(void* library, const char* name, const char* path) {
  void* found = dlsym(library, name);
  if (!found) eb_fail(EB_EXIT_UNFORESEEN, "%s has no `%s`", path, name);
  return found;
}
