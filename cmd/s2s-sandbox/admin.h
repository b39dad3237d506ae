/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.h - what a test or a person may ask of the sandbox itself, under /_admin.
 *
 * GET /_admin/now, POST /_admin/advance, GET /_admin/truth, POST /_admin/do, GET and DELETE
 * /_admin/requests, GET, POST and DELETE /_admin/faults. README.md is the manual.
 */
#pragma once
#include "cmd/s2s-sandbox/sandbox.h"

#define ADMIN_FOLDER "_admin"

/*
 * Answers a request whose first segment is ADMIN_FOLDER. Refuses (403) a Host header that is not
 * loopback, so that a web page whose name resolves to 127.0.0.1 cannot reach it through a browser.
 */
void admin_answer(struct sandbox *box, const struct twin_req *req, struct twin_resp *resp);
