/* What the processor can do: ceilings SECONDS REPEATS BYTES CPU [CPU ...]
 *
 * BYTES 0 measures multiply-adds of float32 in registers, otherwise reads of so many bytes
 * by each thread, over and over; odd repeats read another way than even ones. One thread
 * runs on each CPU. Every repeat prints one number: operations or bytes per second, in 1e9,
 * all threads together. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__AVX512F__)
enum { WIDTH = 64, CHAINS = 24 };
#elif defined(__AVX__)
enum { WIDTH = 32, CHAINS = 12 };
#elif defined(__aarch64__)
enum { WIDTH = 16, CHAINS = 24 };
#else
enum { WIDTH = 16, CHAINS = 12 };
#endif
enum { LANES = WIDTH / 4, READS = 8, STREAMS = 4, AHEAD = 2048 };

typedef float vec __attribute__((vector_size(WIDTH)));

struct thread {
    pthread_t handle;
    int cpu;
    double rate;
};

static double seconds;
static int repeats;
static size_t bytes;
static pthread_barrier_t barrier;
static volatile float sink, factor = 0.999f, summand = 1e-4f;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Returns multiply-adds per second, on chains that keep all units busy. */
static double multiply_adds(void) {
    vec sums[CHAINS], x = (vec){0} + factor, y = (vec){0} + summand;
    for (int c = 0; c < CHAINS; c++)
        sums[c] = y * (float)c;
    double done = 0, start = now(), end;
    do {
        for (int i = 0; i < 20000; i++) {
#pragma GCC unroll 32
            for (int c = 0; c < CHAINS; c++)
                sums[c] = sums[c] * x + y;
        }
        done += 20000.0 * CHAINS * LANES * 2;
        end = now();
    } while (end - start < seconds);
    for (int c = 0; c < CHAINS; c++)
        sink += sums[c][0];
    return done / (end - start);
}

/* Adds up everything, from the start to the end: best where caches are near. */
static void read_in_order(const vec *data, size_t count, vec *sums) {
    for (size_t i = 0; i + READS <= count; i += READS) {
#pragma GCC unroll 8
        for (size_t r = 0; r < READS; r++)
            sums[r] += data[i + r];
    }
}

/* Adds up everything, at several places in turn and fetched ahead: best where it is far. */
static void read_in_streams(const vec *data, size_t count, vec *sums) {
    size_t part = count / STREAMS, each = READS / STREAMS;
    for (size_t i = 0; i + each <= part; i += each) {
#pragma GCC unroll 8
        for (size_t r = 0; r < READS; r++) {
            const vec *place = data + r / each * part + i + r % each;
            sums[r] += *place;
            __builtin_prefetch((const char *)place + AHEAD, 0, 2);
        }
    }
}

/* Returns bytes per second. */
static double reads(const vec *data, int in_streams) {
    vec sums[READS] = {{0}};
    size_t count = bytes / sizeof(vec);
    double done = 0, start = now(), end;
    do {
        size_t times = bytes < (1u << 20) ? (1u << 22) / bytes : 1;
        for (size_t t = 0; t < times; t++) {
            if (in_streams)
                read_in_streams(data, count, sums);
            else
                read_in_order(data, count, sums);
            __asm__ volatile("" ::: "memory");
        }
        done += (double)(times * bytes);
        end = now();
    } while (end - start < seconds);
    for (int r = 0; r < READS; r++)
        sink += sums[r][0];
    return done / (end - start);
}

static void *work(void *given) {
    struct thread *own = given;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)own->cpu, &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    size_t page = 2u << 20, room = (bytes + page) / page * page;
    float *data = aligned_alloc(page, room);
    if (data == NULL)
        exit(1);
    madvise(data, room, MADV_HUGEPAGE);
    for (size_t i = 0; i < room / sizeof(float); i++)
        data[i] = 1e-9f;
    for (int r = 0; r < repeats; r++) {
        pthread_barrier_wait(&barrier);
        own->rate = bytes ? reads((const vec *)data, r % 2) : multiply_adds();
        pthread_barrier_wait(&barrier);
    }
    free(data);
    return NULL;
}

int main(int count, char **arguments) {
    int threads = count - 4;
    if (threads < 1)
        return 2;
    seconds = atof(arguments[1]);
    repeats = atoi(arguments[2]);
    bytes = (size_t)atoll(arguments[3]);
    struct thread *all = calloc((size_t)threads, sizeof *all);
    if (all == NULL)
        return 1;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        all[i].cpu = atoi(arguments[4 + i]);
        if (pthread_create(&all[i].handle, NULL, work, &all[i]))
            return 1;
    }
    for (int r = 0; r < repeats; r++) {
        double total = 0;
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < threads; i++)
            total += all[i].rate;
        printf("%.3f\n", total / 1e9);
        fflush(stdout);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(all[i].handle, NULL);
    free(all);
    return 0;
}
