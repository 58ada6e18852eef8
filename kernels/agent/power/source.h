/* One way to read power, whatever is behind it: its channels, and a function that reads them all. */
#ifndef EDGEBIN_AGENT_POWER_SOURCE_H
#define EDGEBIN_AGENT_POWER_SOURCE_H

#include <stdint.h>

#include "power.h"

#define EB_LABEL_ROOM 64
#define EB_MAX_NOTED 4

/* Files that a channel is read from: one that holds power or counts energy, or two whose product is power. */
typedef struct {
  int file[2];   /* -1: none */
  double unit;   /* watts, or joules, for one of what the file or the product is in */
  int64_t last;  /* of a counter: what it was at */
  int64_t range; /* of a counter: where it begins again at 0 */
} eb_rail;

typedef struct {
  char label[EB_LABEL_ROOM];
  int total; /* belongs to the sum that is the power of the source */
  eb_rail rail;
} eb_channel;

typedef struct eb_source eb_source;
struct eb_source {
  char name[2 * EB_LABEL_ROOM];
  const char* boundary; /* what is seen, and what is not */
  char trust;           /* docs/board.md, "Power" */
  int counts_energy;    /* `read` gives joules since the last reading, instead of watts */
  char problem[512];    /* why it cannot be read, and what to type; empty where it can */
  int channel_count;
  eb_channel channels[EB_MAX_CHANNELS];
  int noted_count; /* settings of the sensor: only ever read */
  struct {
    const char* key;
    int64_t value;
  } noted[EB_MAX_NOTED];
  int mailbox; /* -1: none */
  /* One value for each channel, NaN where it cannot be read. */
  void (*read)(eb_source* source, double* values);
};

typedef struct {
  eb_source* items;
  int count;
} eb_sources;

/* A new source at the end of the list, with nothing in it; good until the next is added. */
eb_source* eb_source_add(eb_sources* sources, const char* name, const char* boundary, char trust);

/* A new channel of the source; NULL, and the source has a problem, where there is no room for more. */
eb_channel* eb_source_channel(eb_source* source, const char* label, int total);

/* The first problem of a source is the one that is kept. */
void eb_source_problem(eb_source* source, const char* format, ...) __attribute__((format(printf, 2, 3)));

/* The problem that `path` could not be read, by errno. */
void eb_source_refused(eb_source* source, const char* path);

/* Notes what the file holds under `key`, where there is such a file. */
void eb_source_note(eb_source* source, const char* key, const char* path);

void eb_source_close(eb_source* source);

/* Each finds the sources of its kind and adds them, also those that cannot be read. */
void eb_ina3221_find(const char* root, eb_sources* sources);
void eb_pmic_find(const char* root, eb_sources* sources);
void eb_hwmon_find(const char* root, eb_sources* sources);
void eb_rapl_find(const char* root, eb_sources* sources);

#endif
