/* Faults of the disk and jumps of the clock, for a process that is started with LD_PRELOAD=shim.so.
 *
 * It stands between the process and libc. Each write, truncation and sync of a file whose name begins
 * with the prefix is a point: the process can be killed there, the call can fail, and what is written
 * can be recorded. HAAS_SHIM names a file with a struct control, which tests share with the process.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING, KILL, EIO_, ENOSPC_, LOCKED };
enum { WRITE, SYNC, TRUNCATE };

struct control {
    int64_t fault;      /* what happens at a point */
    int64_t skip;       /* how many points pass before it */
    int64_t times;      /* how many points it strikes; below 0: all */
    int64_t points;     /* how many points there were */
    int64_t struck;     /* how many it struck */
    int64_t clock;      /* seconds by which the time of day is set */
    int64_t recording;  /* whether writes are recorded */
    char prefix[512];   /* of the names of the files */
    char record[512];   /* the file in which they are recorded */
};

/* One operation in the record; the bytes of a write follow. */
struct operation {
    int64_t kind;
    int64_t file;       /* 0: the database itself, 1: its WAL, 2: its rollback journal */
    int64_t offset;
    int64_t size;
};

#define WAL_WRITE_LOCK 120  /* https://sqlite.org/walformat.html#wal_locks */

static struct control *control;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("HAAS_SHIM");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    control = at == MAP_FAILED ? NULL : at;
}

/* Return which of the files a descriptor is, or -1. */
static int file_of(int fd, const char *ending)
{
    static const char *endings[] = {"", "-wal", "-journal"};
    char link[64] = "/proc/self/fd/", name[1024];
    if (!control || !control->prefix[0])
        return -1;
    char digits[16], *at = link + strlen(link);
    int count = 0, number = fd;
    do digits[count++] = '0' + number % 10; while ((number /= 10) > 0);
    while (count) *at++ = digits[--count];
    *at = 0;
    ssize_t size = readlink(link, name, sizeof name - 1);
    if (size < 0)
        return -1;
    name[size] = 0;
    size_t prefix = strlen(control->prefix);
    if (strncmp(name, control->prefix, prefix))
        return -1;
    if (ending)
        return strcmp(name + prefix, ending) ? -1 : 0;
    for (int each = 0; each < 3; each++)
        if (!strcmp(name + prefix, endings[each]))
            return each;
    return -1;
}

/* Pass a point; return the error with which the call fails, or 0. */
static int pass(int may_fail)
{
    __sync_fetch_and_add(&control->points, 1);
    if (control->fault == NOTHING || (!may_fail && control->fault != KILL) ||
        control->fault == LOCKED)
        return 0;
    if (__sync_fetch_and_sub(&control->skip, 1) > 0)
        return 0;
    if (control->times >= 0 && control->struck >= control->times)
        return 0;
    __sync_fetch_and_add(&control->struck, 1);
    if (control->fault == KILL) {
        kill(getpid(), SIGKILL);
        pause();
    }
    return control->fault == EIO_ ? EIO : ENOSPC;
}

static void record(int kind, int file, int64_t offset, const void *data, size_t size)
{
    if (!control->recording)
        return;
    int fd = open(control->record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    struct operation head = {kind, file, offset, (int64_t)size};
    char both[sizeof head + 70000];
    memcpy(both, &head, sizeof head);
    size_t carried = data && size <= 70000 ? size : 0;
    if (carried)
        memcpy(both + sizeof head, data, carried);
    syscall(SYS_write, fd, both, sizeof head + carried); /* at once: the process may be killed */
    close(fd);
}

#define REAL(name) ((__typeof__(&name))real(&real_##name, #name))
#define KEEP(name) static void *real_##name
static void *real(void **kept, const char *name)
{
    if (!*kept)
        *kept = dlsym(RTLD_NEXT, name);
    return *kept;
}

KEEP(pwrite64);
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    int file = file_of(fd, NULL), error;
    if (file >= 0) {
        if ((error = pass(1))) {
            errno = error;
            return -1;
        }
        record(WRITE, file, offset, data, size);
    }
    return REAL(pwrite64)(fd, data, size, offset);
}

KEEP(ftruncate64);
int ftruncate64(int fd, off64_t size)
{
    int file = file_of(fd, NULL), error;
    if (file >= 0) {
        if ((error = pass(1))) {
            errno = error;
            return -1;
        }
        record(TRUNCATE, file, 0, NULL, size);
    }
    return REAL(ftruncate64)(fd, size);
}

static int synced(int fd)
{
    int file = file_of(fd, NULL), error;
    if (file >= 0) {
        if ((error = pass(control->fault != ENOSPC_))) {
            errno = error;
            return -1;
        }
        record(SYNC, file, 0, NULL, 0);
    }
    return 0;
}

KEEP(fdatasync);
int fdatasync(int fd)
{
    return synced(fd) ? -1 : REAL(fdatasync)(fd);
}

KEEP(fsync);
int fsync(int fd)
{
    return synced(fd) ? -1 : REAL(fsync)(fd);
}

/* Another process holds the lock of those who write. */
KEEP(fcntl64);
int fcntl64(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (control && control->fault == LOCKED && command == F_SETLK && argument) {
        struct flock *lock = argument;
        if (lock->l_type == F_WRLCK && lock->l_start == WAL_WRITE_LOCK && !file_of(fd, "-shm")) {
            __sync_fetch_and_add(&control->points, 1);
            if (__sync_fetch_and_sub(&control->skip, 1) <= 0 &&
                (control->times < 0 || control->struck < control->times)) {
                __sync_fetch_and_add(&control->struck, 1);
                errno = EAGAIN;
                return -1;
            }
        }
    }
    return REAL(fcntl64)(fd, command, argument);
}

/* Somebody sets the clock. */
KEEP(clock_gettime);
int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = REAL(clock_gettime)(clock, time);
    if (control && clock == CLOCK_REALTIME && result == 0)
        time->tv_sec += control->clock;
    return result;
}

/* A point that is none of the files': a change of the master. */
void haas_point(void)
{
    if (control)
        pass(0);
}
