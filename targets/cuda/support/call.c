/* run, enqueue and prepare: check the call, let the entry write down what to launch, launch
   it. */

static int32_t lxc_check_unused(const lxc_pool *pool, int32_t threads) {
    if (pool == NULL && threads == 0) return LXC_OK;
    return lxc_fail(LXC_EARGUMENT, "a call on a card takes neither a pool nor threads");
}

static int32_t lxc_written_down(int32_t returned, int32_t status, const lxc_launches *all) {
    if (all->lacks_memory) return lxc_fail(LXC_EMEMORY, "no memory for the list of launches");
    if (all->has_too_many)
        return lxc_fail(LXC_EKERNEL, "a kernel takes more than %d arguments",
                        LXC_MOST_ARGUMENTS);
    if (returned == 0 && status == 0) return LXC_OK;
    return lxc_fail(LXC_EKERNEL, "the entry failed with %d and %d", (int)returned,
                    (int)status);
}

static void lxc_copy_frozen(const lxc_model *model, const lxc_call *call, const int64_t *bytes,
                            lxc_launches *all) {
    for (int32_t i = 0; i < model->state.count; ++i) {
        void *out = call->state_out[i];
        if (model->state.leaves[i].frozen && out != NULL && out != call->state_in[i])
            lxc_copy(&all->work, (int64_t)(intptr_t)out,
                     (int64_t)(intptr_t)call->state_in[i], bytes[i]);
    }
}

/* A later call changes the graph that a capture would keep. */
static int32_t lxc_check_capture(void *stream) {
    int is_captured = 0;
    if (stream != NULL) LXC_TRY(cuStreamIsCapturing, stream, &is_captured);
    if (!is_captured) return LXC_OK;
    return lxc_fail(LXC_EDEVICE, "the stream is being captured, and a call of a model is a "
                                 "graph of its own that cannot be part of another");
}

static int32_t lxc_launch_call(const lxc_model *model, const lxc_code *code,
                               const lxc_call *call, const int64_t *state_bytes,
                               void *stream) {
    int32_t status = 0;
    const lxc_function *functions;
    int32_t result = lxc_check_capture(stream);
    if (result == LXC_OK) result = lxc_functions(code, &functions);
    if (result != LXC_OK) return result;
    lxc_launches all = {.copy = code->kernel_count - 1, .functions = functions};
    int32_t returned = model->run(
        (const int64_t *)call->inputs, (const int64_t *)call->params,
        (const int64_t *)call->state_in, (const int64_t *)call->state_out,
        (const int64_t *)call->outputs, (int64_t)(intptr_t)call->prepared,
        (int64_t)(intptr_t)call->arena, call->dims, &status, &all.work);
    lxc_copy_frozen(model, call, state_bytes, &all);
    result = lxc_written_down(returned, status, &all);
    if (result == LXC_OK)
        result = lxc_launch_graph(code, functions, (int64_t)(intptr_t)call->arena, &all,
                                  stream);
    lxc_forget_launches(&all);
    return result;
}

int32_t lxc_enqueue(const lxc_model *model, const lxc_code *code, const lxc_call *call,
                    void *stream, int64_t *bytes, lxc_span *spans) {
    int32_t result;
    int is_pushed;
    if (call == NULL) return lxc_fail(LXC_ENULL, "the call is NULL");
    lxc_places at = lxc_places_of(model);
    if ((result = lxc_check_run(model, &at, call, bytes, spans)) ||
        (result = lxc_check_unused(call->pool, call->threads)) ||
        (result = lxc_enter(&is_pushed)))
        return result;
    result = lxc_launch_call(model, code, call, bytes + at.state, stream);
    lxc_leave(is_pushed);
    return result;
}

int32_t lxc_run(const lxc_model *model, const lxc_code *code, const lxc_call *call,
                int64_t *bytes, lxc_span *spans) {
    int32_t result = lxc_enqueue(model, code, call, NULL, bytes, spans);
    return result == LXC_OK ? lxc_wait(NULL) : result;
}

static int32_t lxc_launch_all(const lxc_code *code, const lxc_function *functions,
                              const lxc_launches *all) {
    void *table[LXC_MOST_ARGUMENTS];
    for (size_t i = 0; i < all->count; ++i) {
        lxc_launch_params one = lxc_params_of(code, functions, all, i, table);
        if (code->kernels[all->records[i].kernel].meets)
            LXC_TRY(cuLaunchCooperativeKernel, one.function, one.grid[0], 1, 1, one.block[0],
                    1, 1, one.shared_bytes, NULL, table);
        else
            LXC_TRY(cuLaunchKernel, one.function, one.grid[0], 1, 1, one.block[0], 1, 1,
                    one.shared_bytes, NULL, table, NULL);
    }
    LXC_TRY(cuStreamSynchronize, NULL);
    return LXC_OK;
}

static int32_t lxc_launch_prepare(const lxc_model *model, const lxc_code *code,
                                  const lxc_prepare_call *call) {
    int32_t status = 0;
    const lxc_function *functions;
    int32_t result = lxc_functions(code, &functions);
    if (result != LXC_OK) return result;
    lxc_launches all = {.copy = code->kernel_count - 1, .functions = functions};
    int32_t returned = model->prepare(
        (const int64_t *)call->params, (const int64_t *)call->state,
        (int64_t)(intptr_t)call->prepared, call->dims, &status, &all.work);
    result = lxc_written_down(returned, status, &all);
    if (result == LXC_OK) result = lxc_launch_all(code, functions, &all);
    lxc_forget_launches(&all);
    return result;
}

int32_t lxc_prepare(const lxc_model *model, const lxc_code *code,
                    const lxc_prepare_call *call, int64_t *bytes, lxc_span *spans) {
    int32_t result;
    int is_pushed;
    if (call == NULL) return lxc_fail(LXC_ENULL, "the call is NULL");
    lxc_places at = lxc_places_of(model);
    if ((result = lxc_check_prepare(model, &at, call, bytes, spans)) ||
        (result = lxc_check_unused(call->pool, call->threads)) ||
        (result = lxc_enter(&is_pushed)))
        return result;
    result = lxc_launch_prepare(model, code, call);
    lxc_leave(is_pushed);
    return result;
}

const char *lxc_last_error(void) { return lxc_error_text; }
