/* Preloaded into a process of a trial: writes down every system call that changes files in the watched folders, in order,
   and makes the n-th of them fail where it is told to. harness/shim.py compiles it, and says what a record looks like. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

enum { OPENR = 1, OPENW = 2, WRITE = 4, SYNC = 8, TRUNCATE = 16, UNLINK = 32, RENAME = 64, MKDIR = 128, CLOSE = 256, READ = 512,
       LOCK = 1024 };

static char watched_folders[16][PATH_MAX];
static int folders, trace = -1;
static unsigned char watched[FDS];

struct head { char op; int32_t fd; int64_t a, b; uint32_t n1, n2; } __attribute__((packed));

static void put(char op, int fd, int64_t a, int64_t b, const void *one, size_t n1, const void *two, size_t n2)
{
    int kept = errno;
    struct head head = {op, fd, a, b, (uint32_t)n1, (uint32_t)n2};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)one, n1}, {(void *)two, n2}};
    if (trace >= 0 && syscall(SYS_writev, trace, parts, 3) != (long)(sizeof head + n1 + n2)) {
        static const char said[] = "record.c: the trace could not be written\n";
        syscall(SYS_write, 2, said, sizeof said - 1);
        _exit(86);
    }
    errno = kept;
}

static int is_watched(const char *path)
{
    for (int n = 0; n < folders; n++) {
        size_t length = strlen(watched_folders[n]);
        if (!strncmp(path, watched_folders[n], length) && (path[length] == '/' || !path[length])) return 1;
    }
    return 0;
}

/* The absolute path: as it was said where it was absolute, else from the folder that it is relative to. */
static const char *absolute(int dir, const char *path, char *into)
{
    char link[64];
    ssize_t length;
    if (!folders || path[0] == '/') return path;
    if (dir == AT_FDCWD) {
        if (!getcwd(into, PATH_MAX)) return path;
        length = (ssize_t)strlen(into);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        length = readlink(link, into, PATH_MAX - 1);
        if (length < 0) return path;
    }
    snprintf(into + length, (size_t)(PATH_MAX - length), "/%s", path);
    return into;
}

static int is_ours(int fd) { return fd >= 0 && fd < FDS && watched[fd]; }

/* faults */

static unsigned fault_mask;
static long fault_nth, fault_count;
static int fault_errno, fault_lasts, fault_short;
static char struck[PATH_MAX + 64];

static int fails(unsigned kind, const char *name, const char *path, int fd)
{
    char link[64], found[PATH_MAX];
    if (!(fault_mask & kind)) return 0;
    fault_count++;
    if (fault_count != fault_nth && !(fault_lasts && fault_count > fault_nth)) return 0;
    if (!struck[0]) {
        if (!path) {
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(link, found, sizeof found - 1);
            found[length < 0 ? 0 : length] = 0;
            path = found;
        }
        snprintf(struck, sizeof struck, "%s %s", name, path);
    }
    errno = fault_errno;
    return 1;
}

/* what harness/shim.py calls */

void trial_watch(const char *paths, const char *to)
{
    folders = 0;
    memset(watched, 0, sizeof watched);
    while (*paths && folders < 16) {
        size_t length = strcspn(paths, "\n");
        snprintf(watched_folders[folders++], PATH_MAX, "%.*s", (int)length, paths);
        paths += length + (paths[length] == '\n');
    }
    if (trace >= 0) syscall(SYS_close, trace);
    trace = *to ? (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (*to && trace < 0) _exit(86);
}

void trial_mark(const char *text) { put('a', -1, 0, 0, text, strlen(text), NULL, 0); }

void trial_arm(unsigned mask, long nth, int error, int lasts, int is_short)
{
    fault_mask = mask;
    fault_nth = nth;
    fault_errno = error;
    fault_lasts = lasts;
    fault_short = is_short;
    fault_count = 0;
    struck[0] = 0;
}

long trial_calls(void) { return fault_count; }

const char *trial_struck(void) { return struck; }

/* opening and closing */

static int opened(int dir, const char *said, int flags, mode_t mode)
{
    static int (*real)(int, const char *, int, mode_t);
    char into[PATH_MAX];
    struct stat there;
    if (!real) real = (int (*)(int, const char *, int, mode_t))dlsym(RTLD_NEXT, "openat");
    const char *path = absolute(dir, said, into);
    if (!folders || !is_watched(path)) return real(dir, said, flags, mode);
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
    if (fails(writes ? OPENW : OPENR, writes ? "open to write" : "open to read", path, -1)) return -1;
    int kept = errno, existed = fstatat(dir, said, &there, 0) == 0;
    errno = kept;
    int fd = real(dir, said, flags, mode);
    if (fd >= 0 && fd < FDS) {
        watched[fd] = 1;
        put('o', fd, flags, !existed, path, strlen(path), NULL, 0);
    }
    return fd;
}

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags, mode) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags, mode) return opened(dir, path, flags | O_LARGEFILE, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags | O_LARGEFILE, 0); }
int __openat_2(int dir, const char *path, int flags) { return opened(dir, path, flags, 0); }
int __openat64_2(int dir, const char *path, int flags) { return opened(dir, path, flags | O_LARGEFILE, 0); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE, mode); }

int close(int fd)
{
    REAL(int, "close", int);
    if (is_ours(fd)) {
        int failed = fails(CLOSE, "close", NULL, fd), error = errno; /* it is closed all the same, as Linux does it */
        watched[fd] = 0;
        put('c', fd, 0, 0, NULL, 0, NULL, 0);
        int done = real(fd);
        if (!failed) return done;
        errno = error;
        return -1;
    }
    return real(fd);
}

static int copied(int from, int to)
{
    if (is_ours(from) && to >= 0 && to < FDS) {
        watched[to] = 1;
        put('d', from, to, 0, NULL, 0, NULL, 0);
    } else if (is_ours(to)) {
        watched[to] = 0;
        put('c', to, 0, 0, NULL, 0, NULL, 0);
    }
    return to;
}

int dup(int fd) { REAL(int, "dup", int); return copied(fd, real(fd)); }
int dup2(int fd, int to) { REAL(int, "dup2", int, int); return copied(fd, real(fd, to)); }
int dup3(int fd, int to, int flags) { REAL(int, "dup3", int, int, int); return copied(fd, real(fd, to, flags)); }

#define FCNTL(name) \
    int name(int fd, int command, ...) \
    { \
        REAL(int, #name, int, int, ...); \
        va_list rest; \
        va_start(rest, command); \
        void *value = va_arg(rest, void *); \
        va_end(rest); \
        int done = real(fd, command, value); \
        return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, done) : done; \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

/* bytes */

static ssize_t short_of(size_t size) { fault_count--; fault_nth = fault_count + 1; fault_short = 0; return (ssize_t)(size / 2); }

/* Where the fault is a short write, half of it is done, and it is the next call that fails. */
#define FAULTY(size) \
    size_t asked = size; \
    if (fails(WRITE, "write", NULL, fd)) { \
        if (!fault_short || asked < 2) return -1; \
        asked = (size_t)short_of(asked); \
    }

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    if (!is_ours(fd)) return real(fd, data, size);
    FAULTY(size)
    ssize_t done = real(fd, data, asked);
    if (done > 0) put('w', fd, lseek(fd, 0, SEEK_CUR) - done, 0, data, (size_t)done, NULL, 0);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    if (!is_ours(fd)) return real(fd, parts, count);
    ssize_t total = 0;
    for (int n = 0; n < count; n++) {
        if (!parts[n].iov_len) continue;
        ssize_t done = write(fd, parts[n].iov_base, parts[n].iov_len);
        if (done < 0) return total ? total : -1;
        total += done;
        if ((size_t)done < parts[n].iov_len) break;
    }
    return total;
}

#define PWRITE(name, offset) \
    ssize_t name(int fd, const void *data, size_t size, offset at) \
    { \
        REAL(ssize_t, #name, int, const void *, size_t, offset); \
        if (!is_ours(fd)) return real(fd, data, size, at); \
        FAULTY(size) \
        ssize_t done = real(fd, data, asked, at); \
        if (done > 0) put('w', fd, at, 0, data, (size_t)done, NULL, 0); \
        return done; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define READER(name, ...) \
    if (is_ours(fd) && fails(READ, "read", NULL, fd)) return -1; \
    return real(__VA_ARGS__)

ssize_t read(int fd, void *data, size_t size)
{
    REAL(ssize_t, "read", int, void *, size_t);
    READER(read, fd, data, size);
}
ssize_t pread(int fd, void *data, size_t size, off_t at)
{
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    READER(pread, fd, data, size, at);
}
ssize_t pread64(int fd, void *data, size_t size, off64_t at)
{
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    READER(pread64, fd, data, size, at);
}

#define FTRUNCATE(name, offset) \
    int name(int fd, offset size) \
    { \
        REAL(int, #name, int, offset); \
        if (!is_ours(fd)) return real(fd, size); \
        if (fails(TRUNCATE, "truncate", NULL, fd)) return -1; \
        int done = real(fd, size); \
        if (!done) put('t', fd, size, 0, NULL, 0, NULL, 0); \
        return done; \
    }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

#define FSYNC(name) \
    int name(int fd) \
    { \
        REAL(int, #name, int); \
        if (!is_ours(fd)) return real(fd); \
        if (fails(SYNC, #name, NULL, fd)) return -1; \
        int done = real(fd); \
        if (!done) put('s', fd, 0, 0, NULL, 0, NULL, 0); \
        return done; \
    }
FSYNC(fsync)
FSYNC(fdatasync)

int flock(int fd, int how)
{
    REAL(int, "flock", int, int);
    if (is_ours(fd) && fails(LOCK, "lock", NULL, fd)) return -1;
    return real(fd, how);
}

/* Shared memory is changed behind every call's back: whoever reads the trace has to know. */
#define MMAP(name, offset) \
    void *name(void *where, size_t size, int rights, int flags, int fd, offset at) \
    { \
        REAL(void *, #name, void *, size_t, int, int, int, offset); \
        void *done = real(where, size, rights, flags, fd, at); \
        if (is_ours(fd) && rights & PROT_WRITE && flags & MAP_SHARED) put('x', fd, 0, 0, #name, strlen(#name), NULL, 0); \
        return done; \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

/* names */

static int removed(int dir, const char *said, int flags)
{
    static int (*real)(int, const char *, int);
    char into[PATH_MAX];
    if (!real) real = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "unlinkat");
    const char *path = absolute(dir, said, into);
    int ours = folders && is_watched(path);
    if (ours && fails(UNLINK, "unlink", path, -1)) return -1;
    int done = real(dir, said, flags);
    if (ours && !done) put('u', -1, 0, 0, path, strlen(path), NULL, 0);
    return done;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int dir, const char *path, int flags) { return removed(dir, path, flags); }
int remove(const char *path)
{
    int done = removed(AT_FDCWD, path, 0);
    return done && errno == EISDIR ? removed(AT_FDCWD, path, AT_REMOVEDIR) : done;
}
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }

static int renamed(int from, const char *old, int to, const char *new)
{
    static int (*real)(int, const char *, int, const char *);
    char one[PATH_MAX], two[PATH_MAX];
    if (!real) real = (int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat");
    const char *source = absolute(from, old, one), *target = absolute(to, new, two);
    int ours = folders && (is_watched(source) || is_watched(target));
    if (ours && fails(RENAME, "rename", target, -1)) return -1;
    int done = real(from, old, to, new);
    if (ours && !done) put('r', -1, 0, 0, source, strlen(source), target, strlen(target));
    return done;
}

int rename(const char *old, const char *new) { return renamed(AT_FDCWD, old, AT_FDCWD, new); }
int renameat(int from, const char *old, int to, const char *new) { return renamed(from, old, to, new); }

static int linked(int from, const char *old, int to, const char *new, int flags)
{
    static int (*real)(int, const char *, int, const char *, int);
    char one[PATH_MAX], two[PATH_MAX];
    if (!real) real = (int (*)(int, const char *, int, const char *, int))dlsym(RTLD_NEXT, "linkat");
    const char *source = absolute(from, old, one), *target = absolute(to, new, two);
    int ours = folders && is_watched(target);
    if (ours && fails(RENAME, "link", target, -1)) return -1;
    int done = real(from, old, to, new, flags);
    if (ours && !done) put('l', -1, 0, 0, source, strlen(source), target, strlen(target));
    return done;
}

int link(const char *old, const char *new) { return linked(AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) { return linked(from, old, to, new, flags); }

static int made(int dir, const char *said, mode_t mode)
{
    static int (*real)(int, const char *, mode_t);
    char into[PATH_MAX];
    if (!real) real = (int (*)(int, const char *, mode_t))dlsym(RTLD_NEXT, "mkdirat");
    const char *path = absolute(dir, said, into);
    int ours = folders && is_watched(path);
    if (ours && fails(MKDIR, "mkdir", path, -1)) return -1;
    int done = real(dir, said, mode);
    if (ours && !done) put('m', -1, 0, 0, path, strlen(path), NULL, 0);
    return done;
}

int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int dir, const char *path, mode_t mode) { return made(dir, path, mode); }
