/* Children forked while another thread keeps the pool busy compute with threads of their own. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "toy.h"

enum { ROWS = 64, CHILDREN = 10 };

static _Alignas(64) char prepared[TOY_PREPARED_BYTES];
static float w[4] = {1, 1, 1, 1}, mean[4];
static atomic_int stop;

static int call_once(int threads) {
    _Alignas(64) char arena[TOY_ARENA_BYTES];
    float x[4 * ROWS], y[4 * ROWS];
    int count = 0;
    int64_t n = ROWS;
    for (int i = 0; i < 4 * ROWS; ++i) x[i] = (float)i;
    const void *in[] = {x}, *params[] = {w, w, w}, *state[] = {mean, &count};
    void *out[] = {y}, *state_out[] = {mean, &count};
    toy_call call = {sizeof call, 0,     in, params, state,   state_out, out,
                     prepared,    arena, &n, NULL,   threads, 0};
    if (toy_run(&call) != LXC_OK) return 1;
    for (int i = 0; i < 4 * ROWS; ++i)
        if (y[i] != 2 * x[i] + 1) return 1;
    return 0;
}

static void *keep_busy(void *argument) {
    (void)argument;
    while (!stop)
        if (call_once(3)) return (void *)1;
    return NULL;
}

static int count_threads(void) {
    int count = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) return -1;
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "Threads: %d", &count) == 1) break;
    fclose(status);
    return count;
}

static int run_child(void) {
    for (int i = 0; i < 100; ++i)
        if (call_once(4)) return 1;
    return count_threads() == 4 ? 0 : 2;
}

int main(void) {
    int64_t n = 1;
    int count = 0, good = 0, status;
    const void *params[] = {w, w, w}, *state[] = {mean, &count};
    toy_prepare_call call = {sizeof call, 0, params, state, prepared, &n, NULL, 0, 0};
    if (toy_prepare(&call) != LXC_OK || call_once(4)) return 2;
    pthread_t thread;
    if (pthread_create(&thread, NULL, keep_busy, NULL) != 0) return 3;
    for (int i = 0; i < CHILDREN; ++i) {
        pid_t child = fork();
        if (child == 0) _exit(run_child());
        if (waitpid(child, &status, 0) == child && status == 0) good += 1;
    }
    stop = 1;
    void *failed;
    pthread_join(thread, &failed);
    printf("%d children\n", good);
    return failed != NULL;
}
