/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch - the least that a list of requests can cost: libcurl's multi handle and nothing else.
 *
 *   fetch CA_FILE CONNECTIONS URLS
 *
 * Gets each URL (one a line of the file) once, over that many kept connections, with the TLS
 * settings and about the headers that s2sctl has, and throws the bodies away. Says how many it got.
 * Any status but 200 is a failure: then the list is wrong.
 */
#include <curl/curl.h>
#include <stdbool.h>

#define CONNECTIONS_MAX 64
#define URL_BYTES_MAX 4096

struct fetch {
	CURLM *multi;
	FILE *urls;
	CURL *easy[CONNECTIONS_MAX];
	struct curl_slist *headers;
	const char *ca_file;
	unsigned long got, failed;
};

static size_t discard(char *bytes, size_t size, size_t count, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * count;
}

static bool read_url(struct fetch *f, char *url)
{
	size_t len;

	if (!fgets(url, URL_BYTES_MAX, f->urls))
		return false;
	len = strcspn(url, "\n");
	url[len] = '\0';
	return len > 0;
}

static void launch(struct fetch *f, CURL *e, const char *url)
{
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_multi_add_handle(f->multi, e);
}

static CURL *prepare(const struct fetch *f)
{
	CURL *e = curl_easy_init();

	if (!e)
		exit(1);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_CAINFO, f->ca_file);
	curl_easy_setopt(e, CURLOPT_CAPATH, (char *)NULL);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, 60000L);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "s2sctl");
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, discard);
	return e;
}

/* Takes what is finished; true: something new was started. */
static bool collect(struct fetch *f)
{
	char url[URL_BYTES_MAX];
	bool started = false;
	int left;
	const CURLMsg *m;

	while ((m = curl_multi_info_read(f->multi, &left))) {
		CURL *e = m->easy_handle;
		CURLcode code = m->data.result;
		long status = 0;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
		if (code != CURLE_OK || status != 200)
			f->failed++;
		else
			f->got++;
		curl_multi_remove_handle(f->multi, e);
		if (read_url(f, url)) {
			launch(f, e, url);
			started = true;
		}
	}
	return started;
}

static void fetch_all(struct fetch *f)
{
	int running;

	for (;;) {
		curl_multi_perform(f->multi, &running);
		if (collect(f))
			continue;
		if (!running)
			return;
		curl_multi_poll(f->multi, NULL, 0, 1000, NULL);
	}
}

int main(int argc, char **argv)
{
	static struct fetch f;
	char url[URL_BYTES_MAX];
	long connections = argc == 4 ? strtol(argv[2], NULL, 10) : 0;

	f.urls = argc == 4 ? fopen(argv[3], "r") : NULL;
	if (!f.urls || connections < 1 || connections > CONNECTIONS_MAX) {
		fputs("usage: fetch CA_FILE CONNECTIONS URLS\n", stderr);
		return 64;
	}
	curl_global_init(CURL_GLOBAL_ALL);
	f.multi = curl_multi_init();
	f.ca_file = argv[1];
	f.headers = curl_slist_append(f.headers, "Accept: application/json");
	f.headers = curl_slist_append(f.headers, "x-api-key: bench");
	f.headers = curl_slist_append(f.headers,
				      "Authorization: Bearer 0123456789abcdef0123456789abcdef");
	curl_multi_setopt(f.multi, CURLMOPT_MAXCONNECTS, connections);
	for (long i = 0; i < connections; i++) {
		f.easy[i] = prepare(&f);
		if (read_url(&f, url))
			launch(&f, f.easy[i], url);
	}
	fetch_all(&f);
	for (long i = 0; i < connections; i++)
		curl_easy_cleanup(f.easy[i]);
	curl_multi_cleanup(f.multi);
	fclose(f.urls);
	curl_slist_free_all(f.headers);
	curl_global_cleanup();
	printf("%lu got, %lu failed\n", f.got, f.failed);
	return f.failed ? 1 : 0;
}
