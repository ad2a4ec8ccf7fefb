/* What the code that all models share is told of the kernels of one of them. `capability` is
   90 for compute capability 9.0; an image that `needs_exact` runs on that card only, others on
   later ones of the same family; text is compiled by the driver for any later card. */
typedef struct lxc_image {
    int32_t capability;
    int32_t needs_exact;
    int32_t is_text;
    const char *bytes;
} lxc_image;

/* `shared_bytes` of memory are for each block, beside what the kernel declares. Blocks of one
   that `meets` wait for each other. */
typedef struct lxc_kernel {
    const char *name;
    int32_t threads;
    int32_t shared_bytes;
    int32_t meets;
} lxc_kernel;

/* A kernel on the card, which holds `most_blocks` at once; known of those that meet. */
typedef struct lxc_function {
    void *handle;
    int64_t most_blocks;
} lxc_function;

/* The last kernel copies memory. */
typedef struct lxc_code {
    const lxc_image *images;
    int32_t image_count;
    const lxc_kernel *kernels;
    int32_t kernel_count;
} lxc_code;

int32_t lxc_enqueue(const lxc_model *model, const lxc_code *code, const lxc_call *call,
                    void *stream, int64_t *bytes, lxc_span *spans);
int32_t lxc_run(const lxc_model *model, const lxc_code *code, const lxc_call *call,
                int64_t *bytes, lxc_span *spans);
int32_t lxc_prepare(const lxc_model *model, const lxc_code *code,
                    const lxc_prepare_call *call, int64_t *bytes, lxc_span *spans);
const lxc_card *lxc_card_of_library(void);
const char *lxc_last_error(void);
