#define _GNU_SOURCE
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/fail.h"
#include "../../runtime/json.h"

static const char* file_path;
static int file = -1;
static FILE* line;
static char* text;
static size_t length;

static _Noreturn void fail(int error) {
  file = -1;
  eb_fail(EB_EXIT_UNFORESEEN, "cannot write `%s`: %s", file_path, strerror(error));
}

void eb_events_open(const char* path) {
  file_path = path;
  file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) fail(errno);
}

int eb_events_work(void) { return file >= 0; }

static void forget(void) {
  if (line) fclose(line);
  free(text);
  line = NULL;
  text = NULL;
  eb_json_to(NULL);
}

void eb_event(const char* kind) {
  forget(); /* one that a failure has left unfinished */
  line = open_memstream(&text, &length);
  if (!line) eb_fail(EB_EXIT_UNFORESEEN, "out of memory");
  eb_json_to(line);
  eb_json_begin();
  eb_json_string("event", kind);
}

void eb_event_end(void) {
  eb_json_end();
  const off_t before = lseek(file, 0, SEEK_END);
  ssize_t put;
  do {
    put = write(file, text, length);
  } while (put < 0 && errno == EINTR);
  if (put != (ssize_t)length) {
    const int error = put < 0 ? errno : ENOSPC;
    /* Half a line would spoil all that comes before it. */
    if (put > 0 && ftruncate(file, before)) put = 0;
    fail(error);
  }
  forget();
}
