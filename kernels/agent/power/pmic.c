/* The power management chip of the Pi 5: the firmware reads current and voltage of the rails that it supplies.
 *
 * Source: `vcgencmd pmic_read_adc`. EXT5V and BATT are inputs, of which there is only the voltage. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../system/mailbox.h"
#include "source.h"
#include "../system/sysfs.h"

#define QUESTION "pmic_read_adc"

static const char boundary[] =
    "sum of the rails that the power management chip supplies; not its own losses, nor what 5 V feeds: USB, HAT, fan";

typedef struct {
  char rail[EB_LABEL_ROOM]; /* without _A or _V */
  char kind;                /* 'A' or 'V' */
  double value;
} reading;

static const char* end_of_line(const char* text) {
  while (*text && *text != '\n') text++;
  return text;
}

/* A decimal such as 6.22421000; gives what follows it, NULL if there is none. The division of two doubles that
 * are whole and exact rounds as strtod does, which works in long double: software, and most of a sample, on ARM. */
static const char* decimal(const char* text, double* value) {
  static const int most_digits = 15;
  double whole = 0, power = 1;
  int digits = 0, fraction = 0;
  const int negative = *text == '-';
  const char* c = text + negative;
  for (; (*c >= '0' && *c <= '9') || (*c == '.' && !fraction); c++) {
    if (*c == '.') {
      fraction = 1;
    } else if (digits < most_digits) {
      whole = 10 * whole + (*c - '0');
      power *= fraction ? 10 : 1;
      digits += whole > 0;
    }
  }
  *value = (negative ? -whole : whole) / power;
  return c > text + negative + fraction ? c : NULL;
}

/* The next of lines like `  VDD_CORE_A current(7)=6.22421000A`; NULL at the end. Plain loops, for musl's strcspn makes
 * a table at every call. */
static const char* next_reading(const char* text, reading* found) {
  for (; *text; text = end_of_line(text)) {
    while (*text == ' ' || *text == '\t' || *text == '\n') text++;
    const char* name = text;
    while (*text && *text != ' ' && *text != '\t' && *text != '=' && *text != '\n') text++;
    size_t length = (size_t)(text - name);
    while (*text && *text != '=' && *text != '\n') text++;
    if (*text != '=' || length < 3 || length >= EB_LABEL_ROOM || name[length - 2] != '_') continue;
    const char* end = decimal(text + 1, &found->value);
    found->kind = name[length - 1];
    if ((found->kind != 'A' && found->kind != 'V') || !end || *end != found->kind) continue;
    memcpy(found->rail, name, length - 2);
    found->rail[length - 2] = '\0';
    return end_of_line(end);
  }
  return NULL;
}

static int is_input(const char* rail) { return !strcmp(rail, "EXT5V") || !strcmp(rail, "BATT"); }

static int find_channel(const eb_source* source, const char* label) {
  for (int i = 0; i < source->channel_count; i++) {
    if (!strcmp(source->channels[i].label, label)) return i;
  }
  return -1;
}

static void read_pmic(eb_source* source, double* values) {
  char answer[EB_MAILBOX_ROOM];
  double volts[EB_MAX_CHANNELS];
  for (int i = 0; i < source->channel_count; i++) volts[i] = values[i] = NAN;
  if (eb_mailbox_ask(source->mailbox, QUESTION, answer, sizeof answer)) return;
  reading one;
  for (const char* text = answer; (text = next_reading(text, &one));) {
    int i = find_channel(source, one.rail);
    if (i >= 0) *(one.kind == 'A' ? &values[i] : &volts[i]) = one.value;
  }
  for (int i = 0; i < source->channel_count; i++) values[i] *= volts[i];
}

/* A channel for each rail that has both: names come in pairs, numbers do not, and both differ between firmwares. */
static void add_rails(eb_source* source, const char* answer) {
  reading current, voltage;
  for (const char* text = answer; (text = next_reading(text, &current));) {
    if (current.kind != 'A' || is_input(current.rail) || find_channel(source, current.rail) >= 0) continue;
    for (const char* other = answer; (other = next_reading(other, &voltage));) {
      if (voltage.kind != 'V' || strcmp(voltage.rail, current.rail)) continue;
      eb_source_channel(source, current.rail, 1);
      break;
    }
  }
  if (!source->channel_count) eb_source_problem(source, "the firmware names no rail with both current and voltage");
}

/* Others have the mailbox too, but no such chip. */
static int has_pmic(const char* root) {
  char model[128];
  if (eb_sysfs_text(eb_sysfs_path("%s/proc/device-tree/model", root).text, model, sizeof model)) return 0;
  return !strncmp(model, "Raspberry Pi", 12) && strstr(model, " 5");
}

void eb_pmic_find(const char* root, eb_sources* sources) {
  if (!has_pmic(root)) return;
  eb_source* source = eb_source_add(sources, "pmic", boundary, 'C');
  source->read = read_pmic;
  source->mailbox = eb_mailbox_open(root);
  char answer[EB_MAILBOX_ROOM];
  if (source->mailbox < 0 && (errno == EACCES || errno == EPERM)) {
    eb_source_problem(source, "the mailbox may not be used: `sudo usermod -aG video $USER`, then log in again");
  } else if (source->mailbox < 0) {
    eb_source_problem(source, "`/dev/vcio` cannot be opened: %s", strerror(errno));
  } else if (eb_mailbox_ask(source->mailbox, QUESTION, answer, sizeof answer)) {
    eb_source_problem(source, "the firmware does not answer `" QUESTION "`: %s", strerror(errno));
  } else {
    add_rails(source, answer);
  }
}
