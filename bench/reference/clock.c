#define _GNU_SOURCE
/*
 * clock CPU MS: a thread of real-time priority that only reads the clock, and rests as a worker with
 * `workerPriority: realtime` does (src/control/engine/rest.ts). No CPU sleeps meanwhile. It prints
 * lines of two times in ns: how long it ran, and the gap of 5 us or more after that in which it did
 * not read the clock. Rests are gaps, too.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1 << 20, LEAST_NS = 5000, PERIOD_NS = 500000, REST_NS = 40000 };
static struct { uint64_t run, gap; } all[MOST];
static int n;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static int go_first(int cpu) {
    const struct sched_param lowest = {.sched_priority = 1};
    const int32_t none = 0;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0) return perror("sched_setaffinity"), -1;
    if (sched_setscheduler(0, SCHED_RR, &lowest) < 0) return perror("sched_setscheduler"), -1;
    // The request ends with the process. A machine without the device has no CPU that sleeps.
    const int fd = open("/dev/cpu_dma_latency", O_WRONLY);
    if (fd >= 0 && write(fd, &none, sizeof none) != sizeof none) return perror("/dev/cpu_dma_latency"), -1;
    return 0;
}

int main(int argc, char **argv) {
    const struct timespec rest = {.tv_nsec = REST_NS};
    if (argc != 3) return fprintf(stderr, "usage: clock CPU MS\n"), 2;
    if (go_first(atoi(argv[1])) < 0) return 1;
    const uint64_t begin = now();
    for (uint64_t last = begin, since = begin, due = begin; n < MOST && last < begin + atoll(argv[2]) * 1000000;) {
        const int rests = last >= due;
        if (rests) nanosleep(&rest, NULL);
        const uint64_t time = now();
        if (time - last >= LEAST_NS) {
            all[n].run = last - since, all[n++].gap = time - last;
            since = time;
        }
        if (rests) due = time + PERIOD_NS;
        last = time;
    }
    for (int i = 0; i < n; i++) printf("%llu %llu\n", (unsigned long long)all[i].run, (unsigned long long)all[i].gap);
}
