/*
 * A disk that fails when a test wants it to: loaded into the driver before the C library (LD_PRELOAD). FAILING_DISK names a file of rules,
 * one a line, read at every call: OPERATION ERRNO SUFFIX, for files whose path ends in SUFFIX. Operations:
 *   write      fails; the first time, and then every third, half of it is written before
 *   sync       fails, and what was written since the last sync is zeros from then on: the kernel gives up pages that it cannot write
 *   truncate   fails
 *   hang       a sync does not return as long as the rule stands
 * Each call that concerns FAILING_DISK.log's suffixes is noted there, with its outcome, as a line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char rules_path[4096];
static char log_path[4200];
/* Of the one status file that a driver has. */
static off_t synced;
static int turn;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAILING_DISK");
  if (path == NULL) return;
  /* The shell that comes before node must hand this on; what node starts needs none of it. */
  if (strcmp(program_invocation_short_name, "node") != 0) return;
  snprintf(rules_path, sizeof rules_path, "%s", path);
  snprintf(log_path, sizeof log_path, "%s.log", path);
  unsetenv("LD_PRELOAD");
}

static int is_ours(int fd, char *path, size_t size) {
  char link[64];
  if (rules_path[0] == '\0') return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return strstr(path, "_status.txt") != NULL || strstr(path, "_ledger") != NULL;
}

static void note(const char *operation, const char *outcome, const char *path) {
  char line[4400];
  const char *name = strrchr(path, '/');
  int length = snprintf(line, sizeof line, "%s %s %s\n", operation, outcome, name == NULL ? path : name + 1);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, (size_t)length);
  syscall(SYS_close, fd);
}

static int number_of(const char *name) {
  if (strcmp(name, "ENOSPC") == 0) return ENOSPC;
  if (strcmp(name, "EDQUOT") == 0) return EDQUOT;
  if (strcmp(name, "EBADF") == 0) return EBADF;
  return EIO;
}

/* The error that a rule has for it, 0: none. */
static int rule_for(const char *operation, const char *path) {
  char text[4096], wanted[32], name[32], suffix[256];
  int fd = (int)syscall(SYS_openat, AT_FDCWD, rules_path, O_RDONLY, 0);
  if (fd < 0) return 0;
  ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  for (char *line = text; line != NULL && *line != '\0';) {
    char *end = strchr(line, '\n');
    if (sscanf(line, "%31s %31s %255s", wanted, name, suffix) == 3 && strcmp(wanted, operation) == 0) {
      size_t at = strlen(path), tail = strlen(suffix);
      if (at >= tail && strcmp(path + at - tail, suffix) == 0) return number_of(name);
    }
    line = end == NULL ? NULL : end + 1;
  }
  return 0;
}

static ssize_t written(int fd, const void *bytes, size_t count, off_t offset, int positioned) {
  char path[4096];
  if (is_ours(fd, path, sizeof path)) {
    int error = rule_for("write", path);
    /* libuv tries the rest at once, tells of what was written, and hears of the error when it is called again. */
    if (error != 0 && turn++ % 3 == 0 && count > 1) {
      note("write", "half", path);
      count = count / 2;
    } else if (error != 0) {
      note("write", "failed", path);
      errno = error;
      return -1;
    } else {
      note("write", "done", path);
    }
  }
  return positioned ? syscall(SYS_pwrite64, fd, bytes, count, offset) : syscall(SYS_write, fd, bytes, count);
}

ssize_t write(int fd, const void *bytes, size_t count) { return written(fd, bytes, count, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return written(fd, bytes, count, offset, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) { return written(fd, bytes, count, offset, 1); }

static void drop(int fd) {
  struct stat now;
  static const char zeros[4096];
  if (fstat(fd, &now) != 0) return;
  for (off_t at = synced; at < now.st_size;) {
    size_t left = (size_t)(now.st_size - at);
    ssize_t put = syscall(SYS_pwrite64, fd, zeros, left < sizeof zeros ? left : sizeof zeros, at);
    if (put <= 0) return;
    at += put;
  }
}

static int sync_of(int fd, long call) {
  char path[4096];
  if (!is_ours(fd, path, sizeof path)) return (int)syscall(call, fd);
  int is_status = strstr(path, "_status.txt") != NULL;
  if (rule_for("hang", path) != 0) {
    note("sync", "hangs", path);
    while (rule_for("hang", path) != 0) usleep(10000);
  }
  int error = rule_for("sync", path);
  if (error != 0) {
    note("sync", "failed", path);
    if (is_status) drop(fd);
    errno = error;
    return -1;
  }
  int result = (int)syscall(call, fd);
  struct stat now;
  if (is_status && result == 0 && fstat(fd, &now) == 0) synced = now.st_size;
  note("sync", "done", path);
  return result;
}

int fdatasync(int fd) { return sync_of(fd, SYS_fdatasync); }
int fsync(int fd) { return sync_of(fd, SYS_fsync); }

static int cut(int fd, off_t length) {
  char path[4096];
  if (is_ours(fd, path, sizeof path)) {
    int error = rule_for("truncate", path);
    note("truncate", error == 0 ? "done" : "failed", path);
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off_t length) { return cut(fd, length); }
