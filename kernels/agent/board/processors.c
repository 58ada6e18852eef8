/* Processors: which cores, what they can, how they are clocked. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"
#include "../system/sysfs.h"
#include "cpuinfo.h"
#include "fields.h"
#include "parts.h"

#define MAX_CPUS 1024
#define WORD_ROOM 64
#define CPU "%s/sys/devices/system/cpu/cpu%d"

typedef struct {
  int listed; /* in /proc/cpuinfo */
  int64_t implementer, part;
} core;

typedef struct {
  core cores[MAX_CPUS];
  int current;
  char* features; /* words of all cores in common, each with a blank before and behind it; NULL: none seen */
} machine;

/* Keeps those words that `other` has as well. */
static void intersect(char* words, const char* other) {
  char* kept = eb_allocate(strlen(words) + 2);
  char* among = NULL;
  if (asprintf(&among, " %s ", other) < 0) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  strcpy(kept, " ");
  for (char* word = strtok(words, " "); word; word = strtok(NULL, " ")) {
    char looked_for[WORD_ROOM];
    snprintf(looked_for, sizeof looked_for, " %s ", word);
    if (strstr(among, looked_for)) strcat(strcat(kept, word), " ");
  }
  strcpy(words, kept);
  free(kept);
  free(among);
}

/* The word for instructions on Arm, and on x86; an Arm program that sees the latter runs in an emulator. */
static int lists_features(const char* key) {
#ifdef __aarch64__
  return !strcmp(key, "Features");
#else
  return !strcmp(key, "Features") || !strcmp(key, "flags");
#endif
}

static void see(const char* key, const char* value, void* context) {
  machine* all = context;
  core* now = all->current >= 0 ? &all->cores[all->current] : NULL;
  if (!strcmp(key, "processor")) {
    char* end;
    long number = strtol(value, &end, 10);
    all->current = end != value && number >= 0 && number < MAX_CPUS ? (int)number : -1;
    if (all->current >= 0) all->cores[number] = (core){.listed = 1, .implementer = -1, .part = -1};
  } else if (lists_features(key)) {
    if (all->features) {
      intersect(all->features, value);
    } else if (asprintf(&all->features, " %s ", value) < 0) {
      eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
    }
  } else if (now && !strcmp(key, "CPU implementer")) {
    now->implementer = strtol(value, NULL, 0);
  } else if (now && !strcmp(key, "CPU part")) {
    now->part = strtol(value, NULL, 0);
  }
}

#ifdef __aarch64__
/* Bits of AT_HWCAP, lowest first, as /proc/cpuinfo spells them. Source: Linux, arch/arm64/kernel/cpuinfo.c. */
static const char* const hwcap_names[] = {
    "fp",    "asimd",    "evtstrm", "aes",   "pmull",  "sha1",  "sha2", "crc32", "atomics", "fphp",    "asimdhp",
    "cpuid", "asimdrdm", "jscvt",   "fcma",  "lrcpc",  "dcpop", "sha3", "sm3",   "sm4",     "asimddp", "sha512",
    "sve",   "asimdfhm", "dit",     "uscat", "ilrcpc", "flagm", "ssbs", "sb",    "paca",    "pacg"};
#endif

/* In an emulator /proc/cpuinfo is that of the machine which it runs on, but the capabilities are its own. */
static void write_features(char* words) {
  eb_json_open_list("features");
#ifdef __aarch64__
  if (!words) {
    unsigned long bits = getauxval(AT_HWCAP);
    for (size_t i = 0; i < sizeof hwcap_names / sizeof *hwcap_names; i++) {
      if (bits >> i & 1) eb_json_string(NULL, hwcap_names[i]);
    }
  }
#endif
  for (char* word = words ? strtok(words, " ") : NULL; word; word = strtok(NULL, " ")) eb_json_string(NULL, word);
  eb_json_close_list();
}

static int64_t hz(const char* root, int cpu, const char* name) {
  int64_t khz;
  return eb_sysfs_integer(eb_sysfs_path(CPU "/cpufreq/%s", root, cpu, name).text, &khz) ? -1 : khz * 1000;
}

static void write_cpu(const char* root, int cpu, const core* core) {
  char governor[WORD_ROOM];
  eb_path path = eb_sysfs_path(CPU "/cpufreq/scaling_governor", root, cpu);
  eb_json_open_object(NULL);
  eb_json_integer("cpu", cpu);
  eb_board_integer("implementer", core->listed ? core->implementer : -1);
  eb_board_integer("part", core->listed ? core->part : -1);
  eb_board_integer("max_hz", hz(root, cpu, "cpuinfo_max_freq"));
  eb_board_integer("current_hz", hz(root, cpu, "scaling_cur_freq"));
  eb_board_string("governor", eb_sysfs_text(path.text, governor, sizeof governor) ? NULL : governor);
  eb_json_close_object();
}

/* Those switched off have no paragraph in /proc/cpuinfo; where there is none for any, /sys says. */
static int is_on(const char* root, int cpu, const machine* all) {
  if (all->current >= 0) return all->cores[cpu].listed;
  int64_t online = 1;
  if (!eb_sysfs_there(eb_sysfs_path(CPU, root, cpu).text)) return 0;
  eb_sysfs_integer(eb_sysfs_path(CPU "/online", root, cpu).text, &online);
  return online != 0;
}

void eb_board_processors(const char* root) {
  machine* all = eb_allocate(sizeof *all);
  all->current = -1;
  eb_cpuinfo_read(root, see, all);
  eb_json_integer("hwcap", (int64_t)getauxval(AT_HWCAP));
  eb_json_integer("hwcap2", (int64_t)getauxval(AT_HWCAP2));
  write_features(all->features);
  eb_json_open_list("cpus");
  for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
    if (is_on(root, cpu, all)) write_cpu(root, cpu, &all->cores[cpu]);
  }
  eb_json_close_list();
  free(all->features);
  free(all);
}
