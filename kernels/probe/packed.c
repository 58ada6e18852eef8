/* The probe as a library that TVM's RPC server loads: a packed function which takes the lines of `probe batch` as one
 * string and returns its answers. The server's process has threads and handlers of its own, so that the work is done in
 * a process that leaves without them, and dies with the server. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <tvm/ffi/c_api.h>
#include <unistd.h>

#include "../runtime/fail.h"
#include "batch.h"
#include "commands.h"

#define FIRST_BYTES (1 << 16)

static int failed(const char* why) {
  TVMFFIErrorSetRaisedFromCStr("RuntimeError", why);
  return -1;
}

/* eb_fail ends a process by exit, which would run what the server has registered. */
static void leave(int code, void* unused) {
  (void)unused;
  fflush(stdout);
  _exit(code);
}

static void answer(FILE* lines, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  on_exit(leave, NULL);
  if (dup2(out, STDOUT_FILENO) < 0) _exit(EB_EXIT_UNFORESEEN);
  exit(eb_probe_batch(eb_probe_command, lines));
}

/* All that comes until the other end is closed; NULL where there is no memory for it. */
static char* read_all(int in, size_t* bytes) {
  size_t space = FIRST_BYTES;
  char* text = malloc(space);
  *bytes = 0;
  while (text) {
    const ssize_t got = read(in, text + *bytes, space - *bytes);
    if (got == 0) break;
    if (got < 0 && errno != EINTR) break;
    *bytes += got > 0 ? (size_t)got : 0;
    if (*bytes < space) continue;
    char* more = realloc(text, space *= 2);
    if (!more) free(text);
    text = more;
  }
  return text;
}

static int give(const char* text, size_t bytes, TVMFFIAny* result) {
  const TVMFFIByteArray array = {text, bytes};
  return TVMFFIStringFromByteArray(&array, result);
}

static int run(FILE* lines, TVMFFIAny* result) {
  int ends[2], status = 0;
  if (pipe(ends)) return failed("the probe cannot open a pipe");
  const pid_t child = fork();
  if (!child) {
    close(ends[0]);
    answer(lines, ends[1]);
  }
  close(ends[1]);
  size_t bytes = 0;
  char* text = child > 0 ? read_all(ends[0], &bytes) : NULL;
  close(ends[0]);
  if (child < 0 || waitpid(child, &status, 0) != child) status = -1;
  int code = -1;
  if (!text || status) {
    char why[80];
    snprintf(why, sizeof why, "the probe ended with status %#x: the server's log has the reason", (unsigned)status);
    failed(why);
  } else {
    code = give(text, bytes, result);
  }
  free(text);
  return code;
}

__attribute__((visibility("default"))) int __tvm_ffi_edgebin_probe(void* self, const TVMFFIAny* arguments,
                                                                   int32_t count, TVMFFIAny* result) {
  (void)self;
  if (count != 1 || arguments[0].type_index != kTVMFFIRawStr) return failed("the probe takes one string, over RPC");
  FILE* lines = tmpfile();
  if (!lines) return failed("the probe cannot write a temporary file");
  const char* text = arguments[0].v_c_str;
  const int written = fputs(text, lines) >= 0 && !fflush(lines);
  rewind(lines);
  const int code = written ? run(lines, result) : failed("the probe cannot write a temporary file");
  fclose(lines);
  return code;
}
