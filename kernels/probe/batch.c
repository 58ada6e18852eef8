#include "batch.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../runtime/fail.h"
#include "../runtime/json.h"

#define MOST_WORDS 16
#define LINE_BYTES 1024

static int run_line(int (*command)(int argc, char** argv), char* line) {
  char* words[MOST_WORDS];
  int count = 0;
  for (char* word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
    if (count == MOST_WORDS) eb_fail(EB_EXIT_INPUT, "more than %d words in a line", MOST_WORDS);
    words[count++] = word;
  }
  return command(count, words);
}

int eb_probe_batch(int (*command)(int argc, char** argv), FILE* lines) {
  char line[LINE_BYTES];
  while (fgets(line, sizeof line, lines)) {
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0) eb_fail(EB_EXIT_UNFORESEEN, "cannot start a process");
    if (!child) {
      const int code = run_line(command, line);
      fflush(stdout);
      _exit(code);
    }
    int status;
    if (waitpid(child, &status, 0) != child) eb_fail(EB_EXIT_UNFORESEEN, "lost a process");
    const int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    if (code == EB_EXIT_OK || code == EB_EXIT_VERIFICATION) continue;
    eb_json_begin();
    eb_json_integer("failed", code);
    eb_json_end();
  }
  return EB_EXIT_OK;
}
