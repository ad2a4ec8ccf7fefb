/* Loops that call a compiled model and ONNX Runtime from C; they return seconds per call, or
 * a negative number if a call failed. */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef void *ort_run(void *session, const void *options, const char *const *input_names,
                      const void *const *inputs, size_t input_count,
                      const char *const *output_names, size_t output_count, void **outputs);

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double time_model(int32_t (*run)(const void *), const void *call, int64_t count) {
    double start = now();
    for (int64_t i = 0; i < count; i++)
        if (run(call) != 0)
            return -1;
    return (now() - start) / (double)count;
}

double time_session(ort_run *run, void *session, const char *const *input_names,
                    const void *const *inputs, size_t input_count,
                    const char *const *output_names, size_t output_count, void **outputs,
                    int64_t count) {
    double start = now();
    for (int64_t i = 0; i < count; i++)
        if (run(session, NULL, input_names, inputs, input_count, output_names, output_count,
                outputs) != NULL)
            return -1;
    return (now() - start) / (double)count;
}
