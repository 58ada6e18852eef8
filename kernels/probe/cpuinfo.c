#include "cpuinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../runtime/fail.h"
#include "../runtime/json.h"

#if defined(__aarch64__)
#define ARCH "aarch64"
#define FEATURES_KEY "Features"
#define IDENTITY_KEY "CPU implementer"
#else
#define ARCH "x86_64"
#define FEATURES_KEY "flags"
#define IDENTITY_KEY "vendor_id"
#endif

void eb_cpuinfo(const char* key, char value[EB_CPU_LINE]) {
  char line[EB_CPU_LINE];
  *value = '\0';
  FILE* file = fopen("/proc/cpuinfo", "r");
  if (!file) return;
  while (!*value && fgets(line, sizeof line, file)) {
    const size_t length = strlen(key);
    if (strncmp(line, key, length)) continue;
    const char* rest = line + length + strspn(line + length, " \t");
    if (*rest != ':') continue;
    rest += 1 + strspn(rest + 1, " \t");
    strcpy(value, rest);
    value[strcspn(value, "\n")] = '\0';
  }
  fclose(file);
}

int eb_cpu_has(const char* feature) {
  char features[EB_CPU_LINE];
  eb_cpuinfo(FEATURES_KEY, features);
  for (char* word = strtok(features, " "); word; word = strtok(NULL, " ")) {
    if (!strcmp(word, feature)) return 1;
  }
  return 0;
}

/* Emulators of user programs pass most of /proc through: the process has the emulator's name, and the kernel is that of
 * another architecture. Where they make /proc/cpuinfo up, they leave the processor's identity out. */
int eb_is_emulated(void) {
  char text[EB_CPU_LINE] = "";
  FILE* name = fopen("/proc/self/comm", "r");
  if (name && fgets(text, sizeof text, name) && !strncmp(text, "qemu-", 5)) {
    fclose(name);
    return 1;
  }
  if (name) fclose(name);
  FILE* arch = fopen("/proc/sys/kernel/arch", "r");
  if (arch) {
    const int other = fgets(text, sizeof text, arch) && strncmp(text, ARCH, strlen(ARCH));
    fclose(arch);
    if (other) return 1;
  }
  eb_cpuinfo(IDENTITY_KEY, text);
  return !*text;
}

int eb_say_emulated(void) {
  if (!eb_is_emulated()) return 0;
  eb_json_begin();
  eb_json_boolean("emulated", 1);
  eb_json_end();
  return 1;
}

int eb_probe_machine(int argc, char** argv) {
  (void)argv;
  if (argc) eb_fail(EB_EXIT_INPUT, "usage: probe machine");
  static const char* const kKeys[][2] = {
      {"features", FEATURES_KEY}, {"model", "model name"}, {"implementer", "CPU implementer"}, {"part", "CPU part"}};
  char value[EB_CPU_LINE];
  struct utsname system;
  if (uname(&system)) *system.nodename = '\0';
  eb_json_begin();
  eb_json_string("arch", ARCH);
  eb_json_boolean("emulated", eb_is_emulated());
  eb_json_string("host", system.nodename);
  eb_json_integer("cores", sysconf(_SC_NPROCESSORS_ONLN));
  for (size_t i = 0; i < sizeof(kKeys) / sizeof(kKeys[0]); i++) {
    eb_cpuinfo(kKeys[i][1], value);
    eb_json_string(kKeys[i][0], value);
  }
  eb_json_end();
  return EB_EXIT_OK;
}
