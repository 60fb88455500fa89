/* SPDX-License-Identifier: Apache-2.0 */
/* Where the output of a container in the background goes. */
#include "engine/output.h"

#include "base/io.h"

void output_done(Output *output) {
        for (size_t i = 0; i < 3; i++) {
                output->ours[i] = fd_close(output->ours[i]);
                output->theirs[i] = fd_close(output->theirs[i]);
        }
}

int output_prepare(_unused_ const Store *store, _unused_ Container *container, _unused_ Output *ret, Error *reterr) {
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot run in the background: not there yet");
}

int output_hand_over(_unused_ Container *container, _unused_ Proc *proc, _unused_ void *data, _unused_ Error *reterr) {
        return 0;
}

int output_solo_command(_unused_ const Store *store, _unused_ const Container *container, _unused_ char *const *start, _unused_ char ***ret) {
        return -ENOMEM;
}

int output_solo_answer(_unused_ const char *answer, _unused_ Error *reterr) {
        return 0;
}
