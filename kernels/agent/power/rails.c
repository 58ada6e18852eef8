#include "rails.h"

#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "../system/sysfs.h"

static int open_file(eb_source* source, const char* path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  int64_t value;
  if (file < 0 || eb_sysfs_again(file, &value)) eb_source_refused(source, path);
  return file;
}

void eb_rail_open(eb_source* source, eb_channel* channel, const char* first, const char* second, double unit) {
  channel->rail.unit = unit;
  channel->rail.file[0] = open_file(source, first);
  if (second) channel->rail.file[1] = open_file(source, second);
}

void eb_rails_power(eb_source* source, double* values) {
  for (int i = 0; i < source->channel_count; i++) {
    const eb_rail* rail = &source->channels[i].rail;
    int64_t first, second = 1;
    int failed = eb_sysfs_again(rail->file[0], &first);
    if (!failed && rail->file[1] >= 0) failed = eb_sysfs_again(rail->file[1], &second);
    values[i] = failed ? NAN : (double)first * (double)second * rail->unit;
  }
}

void eb_rails_energy(eb_source* source, double* values) {
  int64_t counts[EB_MAX_CHANNELS];
  int failed = 0;
  for (int i = 0; i < source->channel_count; i++) {
    const eb_rail* rail = &source->channels[i].rail;
    failed |= eb_sysfs_again(rail->file[0], &counts[i]);
    /* A counter that goes back without a known range has been set to 0 by someone. */
    failed |= !failed && counts[i] < rail->last && !rail->range;
  }
  for (int i = 0; i < source->channel_count; i++) {
    eb_rail* rail = &source->channels[i].rail;
    int64_t passed = failed ? 0 : counts[i] - rail->last + (counts[i] < rail->last ? rail->range : 0);
    values[i] = failed ? NAN : (double)passed * rail->unit;
    if (!failed) rail->last = counts[i];
  }
}
