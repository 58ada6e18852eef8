#include "process.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char state;
  int group, session;
  unsigned long long start_ticks;
} status;

/* Source: proc_pid_stat(5). The name, in brackets, may hold anything. */
static int read_status(pid_t id, status* status) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)id);
  FILE* file = fopen(path, "re");
  if (!file) return 0;
  const size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  const char* after_name = strrchr(text, ')');
  return after_name &&
         sscanf(after_name + 1, " %c %*d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                &status->state, &status->group, &status->session, &status->start_ticks) == 4;
}

/* A zombie has ended, whether or not anybody wants to know. */
static int has_ended(const status* status) { return status->state == 'Z' || status->state == 'X'; }

static void read_boot(char boot[40]) {
  strcpy(boot, "-");
  FILE* file = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (!file) return;
  if (fscanf(file, "%39s", boot) != 1) strcpy(boot, "-");
  fclose(file);
}

int eb_process_find(pid_t id, eb_process* process) {
  status status;
  if (!read_status(id, &status)) return 0;
  process->id = id;
  process->start_ticks = status.start_ticks;
  read_boot(process->boot);
  return 1;
}

int eb_process_runs(const eb_process* process) {
  status status;
  char boot[40];
  read_boot(boot);
  return !strcmp(boot, process->boot) && read_status(process->id, &status) && !has_ended(&status) &&
         status.start_ticks == process->start_ticks;
}

int eb_process_may_have_group(const eb_process* process) {
  status status;
  char boot[40];
  read_boot(boot);
  if (strcmp(boot, process->boot)) return 0;
  return !read_status(process->id, &status) || status.start_ticks == process->start_ticks;
}

void eb_process_write(const eb_process* process, FILE* file) {
  fprintf(file, "%d %llu %s\n", (int)process->id, process->start_ticks, process->boot);
}

int eb_process_read(eb_process* process, FILE* file) {
  int id;
  if (fscanf(file, "%d %llu %39s", &id, &process->start_ticks, process->boot) != 3 || id < 2) return 0;
  process->id = id;
  return 1;
}

int eb_group_signal(pid_t group, int signal) {
  DIR* all = opendir("/proc");
  if (!all) return 0;
  int count = 0;
  for (struct dirent* entry; (entry = readdir(all));) {
    const pid_t id = atoi(entry->d_name);
    status status;
    if (id < 2 || !read_status(id, &status) || has_ended(&status)) continue;
    if (status.group != group || status.session != group) continue;
    count++;
    if (signal) kill(id, signal);
  }
  closedir(all);
  return count;
}
