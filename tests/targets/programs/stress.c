/* Many threads call one model through its own pool, with different numbers of threads. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "toy.h"

enum { CALLERS = 6, CALLS = 400, ROWS = 64 };

static _Alignas(64) char prepared[TOY_PREPARED_BYTES];
static float w[4] = {1, 1, 1, 1}, mean[4];
static atomic_int wrong;

static void *call_many(void *argument) {
    int caller = *(int *)argument, count = 0;
    _Alignas(64) char arena[TOY_ARENA_BYTES];
    float x[4 * ROWS], y[4 * ROWS];
    for (int turn = 0; turn < CALLS; ++turn) {
        int64_t n = 1 + (turn * 7 + caller) % ROWS;
        for (int i = 0; i < 4 * n; ++i) x[i] = (float)(turn + i);
        const void *in[] = {x}, *params[] = {w, w, w}, *state[] = {mean, &count};
        void *out[] = {y}, *state_out[] = {mean, &count};
        toy_call call = {sizeof call, 0,     in,    params, state,    state_out,  out,
                         prepared,    arena, &n,    NULL,   turn % 5, 0};
        if (toy_run(&call) != LXC_OK) wrong += 1;
        for (int i = 0; i < 4 * n; ++i)
            if (y[i] != 2 * x[i] + 1) wrong += 1;
        toy_call bad = call;
        bad.outputs = (void *const *)in;
        if (toy_run(&bad) != LXC_EOVERLAP) wrong += 1;
        if (toy_last_error()[0] != 'o') wrong += 1;
    }
    return NULL;
}

int main(void) {
    int64_t n = 1;
    int count = 0, numbers[CALLERS];
    const void *params[] = {w, w, w}, *state[] = {mean, &count};
    toy_prepare_call call = {sizeof call, 0, params, state, prepared, &n, NULL, 0, 0};
    if (toy_prepare(&call) != LXC_OK) return 2;
    pthread_t threads[CALLERS];
    for (int i = 0; i < CALLERS; ++i) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, call_many, &numbers[i]) != 0) return 3;
    }
    for (int i = 0; i < CALLERS; ++i) pthread_join(threads[i], NULL);
    printf("%d wrong\n", (int)wrong);
    return wrong != 0;
}
