/* Regions within regions and several at a time: every task runs once, and a region that finds
   the pool busy runs in its caller. Threads beyond the processors do no harm. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "toy.h"

enum { TASKS = 64, INNER = 8, CALLERS = 4, TURNS = 50, THREADS = 12 };

static atomic_int inner[TASKS], strangers, wrong;

typedef struct {
    const lxc_pool *pool;
    pthread_t self;
    int outer;
} inner_region;

static int inner_task(int index, lxc_parallel *parallel, void *data) {
    inner_region *region = data;
    (void)index;
    if (parallel->tasks != INNER) wrong += 1;
    if (!pthread_equal(pthread_self(), region->self)) strangers += 1;
    inner[region->outer] += 1;
    return 0;
}

static int outer_task(int index, lxc_parallel *parallel, void *data) {
    const lxc_pool *pool = data;
    inner_region region = {pool, pthread_self(), index};
    if (parallel->tasks != TASKS) wrong += 1;
    return pool->launch(pool, inner_task, &region, INNER, THREADS) | (1 << index % 8);
}

static int count_task(int index, lxc_parallel *parallel, void *data) {
    (void)parallel;
    atomic_fetch_add((atomic_int *)data + index, 1);
    return 0;
}

static void *launch_many(void *argument) {
    const lxc_pool *pool = argument;
    for (int turn = 0; turn < TURNS; ++turn) {
        atomic_int counts[TASKS] = {0};
        int threads = 2 + turn % THREADS;
        if (pool->launch(pool, count_task, counts, TASKS, threads) != 0) wrong += 1;
        for (int i = 0; i < TASKS; ++i)
            if (counts[i] != 1) wrong += 1;
    }
    return NULL;
}

int main(void) {
    const lxc_pool *pool = toy_pool();
    if (pool->launch(pool, outer_task, (void *)pool, TASKS, THREADS) != 255) wrong += 1;
    for (int i = 0; i < TASKS; ++i)
        if (inner[i] != INNER) wrong += 1;
    if (strangers != 0) wrong += 1;
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; ++i)
        if (pthread_create(&callers[i], NULL, launch_many, (void *)pool) != 0) return 2;
    for (int i = 0; i < CALLERS; ++i) pthread_join(callers[i], NULL);
    printf("%d wrong\n", (int)wrong);
    return wrong != 0;
}
