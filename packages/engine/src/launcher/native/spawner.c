/*
 * The process that forks, as a program of its own: what spawner.pl does, for Linux machines where it has been compiled. A fork costs by what
 * its process has in memory, and this one has next to nothing. spawner.pl becomes it (exec) and goes on in Perl where it cannot;
 * the launcher notices no difference. It has every signal blocked, and /dev/null as its descriptors 0 and 1.
 *
 *   taskmuster-spawner REQUESTS ANSWERS ERRORS     descriptors: a SOCK_SEQPACKET socket and the write ends of two pipes
 *
 * A request: serial, flags (1: variables of ours are replaced, 2: a mask of CPUs is the first text), texts: command, mask, variables. Numbers
 * have 32 bits but the flags, which have 8; a text has its length before it; big-endian. Two descriptors come with it, for the task's
 * output and errors. The answer: serial, pid or 0, errno. The children are the launcher's (CLONE_PARENT). One whose exec fails
 * writes serial and errno to ERRORS and ends with 127.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REPLACES_OURS = 1, IS_PINNED = 2, MOST_BYTES = 65536 };

extern char **environ;

static unsigned char request[MOST_BYTES + 1]; /* room for the end of the last text */
static char **envp;                           /* our variables, and room for as many more as a request can hold */
static size_t own_count;

static uint32_t number(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put(unsigned char *at, uint32_t value) {
    at[0] = value >> 24, at[1] = value >> 16, at[2] = value >> 8, at[3] = value;
}

/* Takes the next text and ends it with a NUL, where the length of the next one was or the request ended. */
struct texts { unsigned char *at, *end, *cut; };

static char *next_text(struct texts *texts, size_t *length) {
    if (texts->end - texts->at < 4) return NULL;
    uint32_t bytes = number(texts->at);
    if (texts->cut) *texts->cut = 0;
    if (bytes > (size_t)(texts->end - texts->at) - 4) return NULL;
    char *text = (char *)texts->at + 4;
    texts->at += 4 + (size_t)bytes;
    texts->cut = texts->at;
    if (length) *length = bytes;
    return text;
}

static int same_name(const char *one, const char *other) {
    while (*one && *one == *other && *one != '=') one++, other++;
    return *one == '=' && *other == '=';
}

/* In the child; never returns. */
static void become_task(size_t length, int out, int err, int errors) {
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup3(out, 1, 0);
    dup3(err, 2, 0);
    uint32_t serial = number(request);
    int flags = request[4];
    struct texts texts = { request + 5, request + length, NULL };
    char *command = next_text(&texts, NULL);
    if (flags & IS_PINNED) {
        size_t bytes = 0;
        char *mask = next_text(&texts, &bytes);
        /* A task that cannot be pinned runs all the same. */
        if (mask) syscall(SYS_sched_setaffinity, 0, bytes, mask);
    }
    size_t count = own_count;
    for (char *variable; (variable = next_text(&texts, NULL));) envp[count++] = variable;
    if (texts.cut) *texts.cut = 0;
    if (flags & REPLACES_OURS) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            int replaced = 0;
            for (size_t j = own_count; i < own_count && j < count && !replaced; j++) replaced = same_name(envp[i], envp[j]);
            if (!replaced) envp[kept++] = envp[i];
        }
        count = kept;
    }
    envp[count] = NULL;
    char *argv[] = { "/bin/bash", "-c", command ? command : "", NULL };
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(argv[0], argv, envp);
    unsigned char failure[8];
    put(failure, serial);
    put(failure + 4, (uint32_t)errno);
    if (write(errors, failure, sizeof failure) < 0) _exit(126);
    _exit(127);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int requests = atoi(argv[1]), answers = atoi(argv[2]), errors = atoi(argv[3]);
    for (int i = 1; i < 4; i++) fcntl(atoi(argv[i]), F_SETFD, FD_CLOEXEC);
    while (environ[own_count]) own_count++;
    envp = malloc((own_count + MOST_BYTES / 4 + 1) * sizeof *envp);
    if (!envp) return 1;
    memcpy(envp, environ, own_count * sizeof *envp);
    for (;;) {
        union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr align; } rights;
        struct iovec parts = { request, MOST_BYTES };
        struct msghdr message = { .msg_iov = &parts, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights };
        ssize_t length = recvmsg(requests, &message, MSG_CMSG_CLOEXEC);
        if (length < 0 && errno == EINTR) continue;
        if (length < 5) return 0;
        int fds[2] = { -1, -1 };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        /* Cut: there was no room for the descriptors; what did arrive is closed. */
        int whole = header && header->cmsg_len == CMSG_LEN(sizeof fds) && !(message.msg_flags & MSG_CTRUNC);
        if (whole) memcpy(fds, CMSG_DATA(header), sizeof fds);
        else if (header && header->cmsg_len >= CMSG_LEN(sizeof(int))) memcpy(fds, CMSG_DATA(header), sizeof(int));
        errno = EMFILE;
        long pid = whole ? syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) : -1;
        if (pid == 0) become_task((size_t)length, fds[0], fds[1], errors);
        unsigned char answer[12];
        memcpy(answer, request, 4);
        put(answer + 4, pid > 0 ? (uint32_t)pid : 0);
        put(answer + 8, pid > 0 ? 0 : (uint32_t)errno);
        for (int i = 0; i < 2; i++)
            if (fds[i] >= 0) close(fds[i]);
        if (write(answers, answer, sizeof answer) < 0) return 1;
    }
}
