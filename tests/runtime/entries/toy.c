/* A model by hand: y = x * (2 * weight + mean) + bias, and count grows by the rows of x.
   Params: bias[4], weight[4], then the constant one[4]. State: mean[4] (frozen), count.
   The doubled weight is what prepare computes. A row that begins with -1 makes run fail. */

#include <stdint.h>

#define JOIN(a, b) a##b
#define NAMED(prefix, name) JOIN(prefix, name)

typedef struct {
    int32_t *sync;
    int32_t tasks;
} parallel_t;
typedef int (*task_t)(int, parallel_t *, void *);

__attribute__((weak)) int (*__TVMBackendParallelLaunch)(task_t, void *, int) = 0;
int32_t lxc_tasks(int64_t turns);

typedef struct {
    const float *x, *bias, *one, *scale;
    float *y;
    int64_t rows;
} work_t;

static int compute_rows(int index, parallel_t *parallel, void *data) {
    const work_t *work = data;
    int64_t first = work->rows * index / parallel->tasks;
    int64_t last = work->rows * (index + 1) / parallel->tasks;
    for (int64_t row = first; row < last; ++row)
        for (int64_t i = 0; i < 4; ++i)
            work->y[4 * row + i] =
                work->x[4 * row + i] * work->scale[i] * work->one[i] + work->bias[i];
    return 0;
}

int32_t NAMED(NAME, _entry_prepare)(const int64_t *params, const int64_t *state,
                                    int64_t prepared, const int64_t *dims,
                                    int32_t *status, int64_t *estimate) {
    const float *weight = (const float *)params[1], *mean = (const float *)state[0];
    float *scale = (float *)prepared;
    for (int i = 0; i < 4; ++i) scale[i] = 2 * weight[i] + mean[i];
    return 0;
}

int32_t NAMED(NAME, _entry_run)(const int64_t *inputs, const int64_t *params,
                                const int64_t *state_in, const int64_t *state_out,
                                const int64_t *outputs, int64_t prepared, int64_t arena,
                                const int64_t *dims, int32_t *status, int64_t *estimate) {
    work_t work = {(const float *)inputs[0], (const float *)params[0],
                   (const float *)params[2], (const float *)prepared,
                   (float *)arena,           dims[0]};
    int32_t count = *(const int32_t *)state_in[1];
    if (work.x[0] == -1) *status |= 3;
    lxc_tasks(work.rows);
    int code = __TVMBackendParallelLaunch(compute_rows, &work, 0);
    float *y = (float *)outputs[0];
    for (int64_t i = 0; i < 4 * work.rows; ++i) y[i] = work.y[i];
    *(int32_t *)state_out[1] = count + (int32_t)work.rows;
    return code;
}
