#define _GNU_SOURCE
/*
 * steps PID N: single-steps a process N times (ptrace(2)) and lets it go on. Prints a line for each
 * instruction that was executed: its address, and how often.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { SLOTS = 1 << 20 };
static uint64_t addresses[SLOTS], counts[SLOTS];

static void count(uint64_t address) {
    uint32_t slot = address * 0x9e3779b97f4a7c15ull >> 44;
    while (addresses[slot] && addresses[slot] != address) slot = (slot + 1) & (SLOTS - 1);
    addresses[slot] = address, counts[slot]++;
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: steps PID N\n"), 2;
    int pid = atoi(argv[1]), status;
    struct user_regs_struct registers;
    // On one processor a step takes 3 us instead of 50.
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0 || sched_setaffinity(pid, sizeof one, &one) < 0) return perror("affinity"), 1;
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0) return perror("ptrace"), 1;
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    waitpid(pid, &status, __WALL);
    for (long i = atol(argv[2]); i > 0; i--) {
        if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) < 0) return perror("ptrace"), 1;
        if (waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status)) return fprintf(stderr, "steps: %d ended\n", pid), 1;
        ptrace(PTRACE_GETREGS, pid, 0, &registers);
        count(registers.rip);
    }
    ptrace(PTRACE_DETACH, pid, 0, 0);
    for (int i = 0; i < SLOTS; i++)
        if (addresses[i]) printf("%lx %lu\n", addresses[i], counts[i]);
    return 0;
}
