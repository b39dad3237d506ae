/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version.h - which build this is. Stands in plans and in requests, and in no digest that approval binds to.
 */
#pragma once

#define S2SCTL_VERSION "0.1.0"
