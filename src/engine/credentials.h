/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of a unit (systemd.exec(5), LoadCredential=, SetCredential=, ImportCredential=) as secrets of its container. */
#pragma once

#include "proc/plan.h"

/* Adds a file below /run/secrets for each credential of the service whose main process this is. A child of a service's process,
 * such as a job that some runner starts, gets none of the service's. Called before the container's own secrets are added: those win. */
int credentials_plan(ProcPlan *plan, Error *reterr);
