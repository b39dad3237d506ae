/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include "campaign/campaign.h"
#include "console/console.h"
#include "dynamics/dynamics.h"
#include "ims/ims.h"
#include "integration_app/integration_app.h"

/* Each relies on those before it: the app asks what the console found, Dynamics and Campaign whether the app is proved. */
static const struct provider *const providers[] = { &console_provider,         &ims_provider,
						    &integration_app_provider, &dynamics_provider,
						    &campaign_provider,        NULL };

const struct registry registry_all = { .providers = providers };
