/* What programs find on this machine: loaders and a C library, looked for without starting any. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../system/sysfs.h"
#include "fields.h"
#include "parts.h"

#ifdef __aarch64__
#define MACHINE EM_AARCH64
static const char* const loaders[] = {"/lib/ld-linux-aarch64.so.1", "/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
                                      "/lib64/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1"};
static const char* const libraries[] = {"/lib/aarch64-linux-gnu/libc.so.6",
                                        "/usr/lib/aarch64-linux-gnu/libc.so.6",
                                        "/lib64/libc.so.6",
                                        "/usr/lib64/libc.so.6",
                                        "/lib/libc.so.6",
                                        "/usr/lib/libc.so.6"};
#else
#define MACHINE EM_X86_64
static const char* const loaders[] = {"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
                                      "/lib/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"};
static const char* const libraries[] = {"/lib/x86_64-linux-gnu/libc.so.6",
                                        "/usr/lib/x86_64-linux-gnu/libc.so.6",
                                        "/lib64/libc.so.6",
                                        "/usr/lib64/libc.so.6",
                                        "/lib/libc.so.6",
                                        "/usr/lib/libc.so.6"};
#endif
static const char* const loaders_32[] = {"/lib/ld-linux-armhf.so.3", "/lib/arm-linux-gnueabihf/ld-linux-armhf.so.3",
                                         "/lib/ld-linux.so.3", "/lib/ld-musl-armhf.so.1", "/lib/ld-linux.so.2"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static int one_exists(const char* root, const char* const* names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (eb_sysfs_there(eb_sysfs_path("%s%s", root, names[i]).text)) return 1;
  }
  return 0;
}

/* Its own words name the release. Should they be missing: the newest version that its symbols have, which can be an
 * older one, for not every release brings new symbols. */
static int glibc_minor(const char* bytes, size_t length) {
  static const char banner[] = "GNU C Library", release[] = " release version 2.", symbol[] = "GLIBC_2.";
  const char* end = bytes + length;
  const char* at = memmem(bytes, length, banner, sizeof banner - 1);
  const char* line_end = at ? memchr(at, '\n', (size_t)(end - at)) : NULL;
  const char* version = line_end ? memmem(at, (size_t)(line_end - at), release, sizeof release - 1) : NULL;
  if (version) return atoi(version + sizeof release - 1);
  int newest = -1;
  for (at = bytes; (at = memmem(at, (size_t)(end - at), symbol, sizeof symbol - 1)); at++) {
    const char* digits = at + sizeof symbol - 1;
    int minor = 0;
    while (digits < end && *digits >= '0' && *digits <= '9' && minor < 1000) minor = minor * 10 + *digits++ - '0';
    if (digits < end && minor > newest) newest = minor;
  }
  return newest;
}

/* -1: not a C library for programs of the agent's own kind. */
static int library_minor(const char* path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  int minor = -1;
  if (file >= 0 && !fstat(file, &status) && (size_t)status.st_size > sizeof(Elf64_Ehdr)) {
    size_t length = (size_t)status.st_size;
    char* bytes = mmap(NULL, length, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes != MAP_FAILED) {
      Elf64_Ehdr header;
      memcpy(&header, bytes, sizeof header);
      int own = !memcmp(header.e_ident, ELFMAG, SELFMAG) && header.e_ident[EI_CLASS] == ELFCLASS64 &&
                header.e_machine == MACHINE;
      if (own) minor = glibc_minor(bytes, length);
      munmap(bytes, length);
    }
  }
  if (file >= 0) close(file);
  return minor;
}

static void write_glibc(const char* root) {
  int minor = -1;
  for (size_t i = 0; minor < 0 && i < COUNT(libraries); i++) {
    minor = library_minor(eb_sysfs_path("%s%s", root, libraries[i]).text);
  }
  char version[16];
  snprintf(version, sizeof version, "2.%d", minor);
  eb_board_string("glibc", minor < 0 ? NULL : version);
}

static void write_os(const char* root) {
  static const char* const files[] = {"/etc/os-release", "/usr/lib/os-release"};
  char name[256] = "";
  for (size_t i = 0; !*name && i < COUNT(files); i++) {
    char line[512];
    FILE* file = fopen(eb_sysfs_path("%s%s", root, files[i]).text, "re");
    while (file && fgets(line, sizeof line, file)) {
      if (sscanf(line, "PRETTY_NAME=\"%255[^\"\n]", name) == 1 || sscanf(line, "PRETTY_NAME=%255[^\"\n]", name) == 1)
        break;
    }
    if (file) fclose(file);
  }
  eb_board_string("os", name);
}

void eb_board_userland(const char* root) {
  write_os(root);
  int is_64 = one_exists(root, loaders, COUNT(loaders));
  int is_32 = !is_64 && one_exists(root, loaders_32, COUNT(loaders_32));
  eb_board_integer("userland_bits", is_64 ? 64 : is_32 ? 32 : -1);
  write_glibc(root);
}
