/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verbs.h"
static int run(_unused_ Invocation *in, Error *reterr) { return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "not there"); }
const Verb verb_generate_systemd = { .arguments = "CONTAINER|POD", .summary = "x", .arguments_min=1,.arguments_max=1,.run = run };
