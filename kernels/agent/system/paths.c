#include "paths.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fail.h"

char* eb_path_in(char path[PATH_MAX], const char* folder, const char* name) {
  if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) {
    eb_fail(EB_EXIT_INPUT, "path too long: %s/%s", folder, name);
  }
  return path;
}

char* eb_path_parent(char path[PATH_MAX], const char* of, int levels) {
  if (path != of && snprintf(path, PATH_MAX, "%s", of) >= PATH_MAX) eb_fail(EB_EXIT_INPUT, "path too long: %s", of);
  for (char* slash; levels > 0; levels--) {
    for (size_t end = strlen(path); end > 1 && path[end - 1] == '/'; end--) path[end - 1] = '\0';
    slash = strrchr(path, '/');
    if (!slash) return strcpy(path, ".");
    slash[slash == path] = '\0';
  }
  return path;
}

char* eb_path_program(char path[PATH_MAX]) {
  const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (length < 0) eb_fail(EB_EXIT_UNFORESEEN, "cannot find out where this program lies");
  path[length] = '\0';
  return path;
}
