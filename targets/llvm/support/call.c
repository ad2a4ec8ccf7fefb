/* run and prepare: check the call, then enter the compiled code. */

static void lxc_copy_frozen(const lxc_model *model, const lxc_call *call,
                            const int64_t *bytes) {
    for (int32_t i = 0; i < model->state.count; ++i) {
        void *out = call->state_out[i];
        if (model->state.leaves[i].frozen && out != NULL && out != call->state_in[i])
            memmove(out, call->state_in[i], (size_t)bytes[i]);
    }
}

static int32_t lxc_finish(int32_t returned, int32_t status) {
    if (returned == 0 && status == 0) return LXC_OK;
    if (!lxc_has_raised)
        lxc_fail(LXC_EKERNEL, "the compiled code failed with %d and %d", (int)returned,
                 (int)status);
    return LXC_EKERNEL;
}

/* Linux gives the registers that hold tiles to a process that asks for them, once. */
static int32_t lxc_ask_for_tiles(const lxc_model *model) {
#if defined(__x86_64__)
    static atomic_int allowed;
    const int request = 0x1023, tiles = 18;
    if (!model->uses_tiles || atomic_load_explicit(&allowed, memory_order_relaxed)) {
        return LXC_OK;
    }
    if (syscall(SYS_arch_prctl, request, tiles) != 0) {
        return lxc_fail(LXC_EKERNEL, "the system refuses the registers that hold tiles");
    }
    atomic_store_explicit(&allowed, 1, memory_order_relaxed);
#else
    (void)model;
#endif
    return LXC_OK;
}

/* Returns who worked before, to be put back at the end of a call. */
static lxc_team lxc_enter(const lxc_pool *pool, int32_t threads) {
    lxc_team before = lxc_current;
    lxc_current = (lxc_team){
        .pool = pool != NULL ? pool : &lxc_own_pool,
        .threads = threads,
    };
    lxc_has_raised = 0;
    return before;
}

int32_t lxc_run(const lxc_model *model, const lxc_call *call, int64_t *bytes,
                lxc_span *spans) {
    int32_t status = 0;
    if (call == NULL) return lxc_fail(LXC_ENULL, "the call is NULL");
    lxc_places at = lxc_places_of(model);
    int32_t code = lxc_check_run(model, &at, call, bytes, spans);
    if (code == LXC_OK) code = lxc_ask_for_tiles(model);
    if (code != LXC_OK) return code;
    lxc_team before = lxc_enter(call->pool, call->threads);
    int32_t returned = model->run(
        (const int64_t *)call->inputs, (const int64_t *)call->params,
        (const int64_t *)call->state_in, (const int64_t *)call->state_out,
        (const int64_t *)call->outputs, (int64_t)(intptr_t)call->prepared,
        (int64_t)(intptr_t)call->arena, call->dims, &status, &lxc_current.work);
    lxc_current = before;
    code = lxc_finish(returned, status);
    if (code == LXC_OK) lxc_copy_frozen(model, call, bytes + at.state);
    return code;
}

int32_t lxc_prepare(const lxc_model *model, const lxc_prepare_call *call, int64_t *bytes,
                    lxc_span *spans) {
    int32_t status = 0;
    if (call == NULL) return lxc_fail(LXC_ENULL, "the call is NULL");
    lxc_places at = lxc_places_of(model);
    int32_t code = lxc_check_prepare(model, &at, call, bytes, spans);
    if (code == LXC_OK) code = lxc_ask_for_tiles(model);
    if (code != LXC_OK) return code;
    lxc_team before = lxc_enter(call->pool, call->threads);
    int32_t returned = model->prepare(
        (const int64_t *)call->params, (const int64_t *)call->state,
        (int64_t)(intptr_t)call->prepared, call->dims, &status, &lxc_current.work);
    lxc_current = before;
    return lxc_finish(returned, status);
}

const char *lxc_last_error(void) { return lxc_error_text; }

const lxc_pool *lxc_pool_of_library(void) { return &lxc_own_pool; }
