/* Small files of the kernel: a word or a number each. */
#ifndef EDGEBIN_AGENT_POWER_SYSFS_H
#define EDGEBIN_AGENT_POWER_SYSFS_H

#include <glob.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* All paths below `root` that fit `pattern`, sorted; none is no error. The caller calls globfree. */
void eb_sysfs_glob(const char* root, const char* pattern, glob_t* found);

/* A path made of parts, as printf makes it; one that is too long is cut, and then is not there. */
typedef struct {
  char text[PATH_MAX];
} eb_path;

eb_path eb_sysfs_path(const char* format, ...) __attribute__((format(printf, 1, 2)));

int eb_sysfs_there(const char* path);

/* The file's text without what is blank at its end. Gives 0, or -1 and errno. */
int eb_sysfs_text(const char* path, char* text, size_t room);

/* The file's integer. Gives 0, or -1 and errno. */
int eb_sysfs_integer(const char* path, int64_t* value);

/* The same of an open file, which is read anew at every call. */
int eb_sysfs_again(int file, int64_t* value);

#endif
