#include "source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "../system/sysfs.h"

eb_source* eb_source_add(eb_sources* sources, const char* name, const char* boundary, char trust) {
  sources->items = realloc(sources->items, (size_t)(sources->count + 1) * sizeof *sources->items);
  if (!sources->items) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  eb_source* added = &sources->items[sources->count++];
  *added = (eb_source){.boundary = boundary, .trust = trust, .mailbox = -1};
  snprintf(added->name, sizeof added->name, "%s", name);
  return added;
}

eb_channel* eb_source_channel(eb_source* source, const char* label, int total) {
  if (source->channel_count == EB_MAX_CHANNELS) {
    eb_source_problem(source, "it has more than %d channels", EB_MAX_CHANNELS);
    return NULL;
  }
  eb_channel* added = &source->channels[source->channel_count++];
  *added = (eb_channel){.total = total, .rail = {.file = {-1, -1}}};
  snprintf(added->label, sizeof added->label, "%s", label);
  return added;
}

void eb_source_problem(eb_source* source, const char* format, ...) {
  if (source->problem[0]) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(source->problem, sizeof source->problem, format, arguments);
  va_end(arguments);
}

void eb_source_refused(eb_source* source, const char* path) {
  if (errno == EACCES || errno == EPERM) {
    eb_source_problem(source, "`%s` may not be read: `sudo chmod a+r '%s'`", path, path);
  } else {
    eb_source_problem(source, "`%s` cannot be read: %s", path, errno == EINVAL ? "not a number" : strerror(errno));
  }
}

void eb_source_note(eb_source* source, const char* key, const char* path) {
  int64_t value;
  if (source->noted_count == EB_MAX_NOTED || eb_sysfs_integer(path, &value)) return;
  source->noted[source->noted_count].key = key;
  source->noted[source->noted_count++].value = value;
}

void eb_source_close(eb_source* source) {
  for (int i = 0; i < source->channel_count; i++) {
    for (int j = 0; j < 2; j++) {
      if (source->channels[i].rail.file[j] >= 0) close(source->channels[i].rail.file[j]);
    }
  }
  if (source->mailbox >= 0) close(source->mailbox);
}
