/* A thread begins with the same share of the tasks in every region, and all tasks are run. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include "toy.h"

enum { REGIONS = 6, TASKS = 8, MOST = 100 };

static pthread_t caller;
static atomic_int first_of_caller, first_of_other, runs[MOST];

static int slowly(int index, lxc_parallel *parallel, void *data) {
    struct timespec pause = {0, 10000000};
    atomic_int *first = pthread_equal(pthread_self(), caller) ? &first_of_caller
                                                              : &first_of_other;
    int nothing = -1;
    atomic_compare_exchange_strong(first, &nothing, index);
    nanosleep(&pause, NULL);
    return parallel->tasks != TASKS || data != NULL;
}

static int counted(int index, lxc_parallel *parallel, void *data) {
    atomic_fetch_add(&runs[index], 1);
    return parallel->tasks > MOST || data != NULL;
}

int main(void) {
    const lxc_pool *pool = toy_pool();
    int wrong = 0, shared = 0;
    caller = pthread_self();
    for (int region = 0; region < REGIONS; ++region) {
        atomic_store(&first_of_caller, -1);
        atomic_store(&first_of_other, -1);
        wrong += pool->launch(pool, slowly, NULL, TASKS, 2) != 0;
        wrong += first_of_caller != 0;
        shared += first_of_other == TASKS / 2;
    }
    for (int tasks = 1; tasks <= MOST; ++tasks)
        for (int threads = 1; threads <= 5; ++threads) {
            wrong += pool->launch(pool, counted, NULL, tasks, threads) != 0;
            for (int index = 0; index < MOST; ++index)
                wrong += atomic_exchange(&runs[index], 0) != (index < tasks);
        }
    printf("%d wrong, %d shared\n", wrong, shared);
    return wrong != 0;
}
