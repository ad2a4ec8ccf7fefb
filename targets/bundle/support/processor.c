/* Code for more than the processor has would end the program at its first instruction. */

int32_t lxc_check_processor(const lxc_bundle *bundle) {
    const char *lacking = bundle->lacking();
    if (lacking == NULL) return LXC_OK;
    return lxc_fail(LXC_EPROCESSOR, "this processor lacks %s", lacking);
}
