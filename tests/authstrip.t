#!/bin/sh
# authstrip.t - no credential leaves it, and nothing else changes
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

strip() { printf '%s\n' "$1" | authstrip -q 2>/dev/null; }
gone() { is "$1" "$(strip "$2")" "$3"; }
stays() { is "$1 stays" "$(strip "$2")" "$2"; }
h() { printf '{"type":"http.request","headers":{"%s":"%s"}}' "$1" "$2"; }

for name in authorization proxy-authorization cookie cookie2 x-api-key api-key apikey x-apikey x-goog-api-key \
	x-goog-iam-authorization-token x-amz-security-token ocp-apim-subscription-key x-functions-key x-auth-token \
	x-access-token x-csrf-token x-xsrf-token x-session-token x-github-token private-token job-token deploy-token \
	x-vault-token x-consul-token dd-api-key dd-application-key x-honeycomb-team x-sentry-auth x-shopify-access-token \
	x-slack-signature x-hub-signature x-hub-signature-256 stripe-signature x-twilio-signature x-forwarded-access-token \
	cf-access-client-secret cf-access-jwt-assertion cf-authorization x-ms-token-aad-access-token set-cookie set-cookie2 \
	authentication-info x-subject-token my-own-secret x-my-session; do
	gone "header $name" "$(h $name 'a b')" "$(h $name '[REDACTED]')"
done
for name in content-type x-ratelimit-remaining-tokens anthropic-ratelimit-tokens-limit content-security-policy \
	x-stainless-helper sec-websocket-key x-request-id x-amz-content-sha256 author; do
	stays "header $name" "$(h $name 'a b')"
done
gone "a header with several values" '{"type":"http.response","headers":{"set-cookie":["a=1","b=2"]}}' \
	'{"type":"http.response","headers":{"set-cookie":["[REDACTED]","[REDACTED]"]}}'
gone "trailers" '{"type":"http.response","trailers":{"x-auth-token":"t"}}' '{"type":"http.response","trailers":{"x-auth-token":"[REDACTED]"}}'
gone "headers in raw bytes" '{"type":"ssl.data","data":"GET / HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\nA: b\r\n\r\n"}' \
	'{"type":"ssl.data","data":"GET / HTTP/1.1\r\nProxy-Authorization: [REDACTED]\r\nA: b\r\n\r\n"}'
b64=$(printf 'x-api-key: sk-1\r\nA: \377\r\n' | base64 -w 0)
got=$(strip "{\"type\":\"ssl.data\",\"data_b64\":\"$b64\"}" | jq -r .data_b64 | base64 -d | od -c)
is "headers in base64" "$got" "$(printf 'x-api-key: [REDACTED]\r\nA: \377\r\n' | od -c)"
gone "JSON in strings in JSON" '{"type":"x","body":"{\"a\":\"{\\\"api_key\\\":\\\"q\\\\\\\"r\\\",\\\"n\\\":1}\"}"}' \
	'{"type":"x","body":"{\"a\":\"{\\\"api_key\\\":\\\"[REDACTED]\\\",\\\"n\\\":1}\"}"}'
gone "a number" '{"type":"x","body":"{\"password\":1234,\"n\":1}"}' '{"type":"x","body":"{\"password\":\"[REDACTED]\",\"n\":1}"}'
gone "camel case" '{"type":"x","clientSecret":"a","myAccessToken":"b"}' '{"type":"x","clientSecret":"[REDACTED]","myAccessToken":"[REDACTED]"}'
gone "query parameters" '{"type":"x","path":"/a?key=AIzaSyA-123&x=1&access_token=t#f"}' '{"type":"x","path":"/a?key=[REDACTED]&x=1&access_token=[REDACTED]#f"}'
gone "URL userinfo" '{"type":"x","u":"postgres://me:pw@h/db"}' '{"type":"x","u":"postgres://me:[REDACTED]@h/db"}'
gone "arguments" '{"type":"x","argv":["a","--password","p","--api-key=k","TOKEN_X=1","MY_TOKEN=t","-H","Authorization: b"]}' \
	'{"type":"x","argv":["a","--password","[REDACTED]","--api-key=[REDACTED]","TOKEN_X=1","MY_TOKEN=[REDACTED]","-H","Authorization: [REDACTED]"]}'
gone "an endpoint of tokens" '{"type":"http.response","path":"/v1/oauth/token","body":"{\"x\":1}"}' \
	'{"type":"http.response","path":"/v1/oauth/token","body":"[REDACTED]"}'
gone "ids, when asked for" "$(h a b)" "$(h a b)"
is "--ids" "$(printf '%s\n' "$(h openai-organization o)" | authstrip --ids -q)" "$(h openai-organization '[REDACTED]')"
for word in sk-ant-api03-0123456789abcdefghij AKIAIOSFODNN7EXAMPLE ghp_0123456789abcdef0123456789abcdef0123; do
	gone "token $word" "{\"type\":\"x\",\"t\":\"see $word.\"}" '{"type":"x","t":"see [REDACTED]."}'
done
stays "token counts" '{"type":"x","usage":{"max_tokens":4096,"prompt_tokens":"12","token":"the"}}'
stays "git hashes and UUIDs" '{"type":"x","t":"commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad 123e4567-e89b-12d3-a456-426614174000"}'
stays "prose" '{"type":"x","t":"The token: a unit. Basic authentication. Bearer authentication. state=open?x=1 sk-learn"}'
stays "odd spacing and numbers" '{ "type" : "x", "n":1.10 , "u":"\u00e9" }'

printf '%s\n' '{"type":"x","password":"a","t":"Bearer 0123456789abcdef"}' >"$T/in"
authstrip -q "$T/in" >"$T/once"; authstrip -q "$T/once" >"$T/twice"
ok "twice is as once" cmp -s "$T/once" "$T/twice"
ok "counts per rule" sh -c 'authstrip -v "$1" 2>&1 >/dev/null | grep -q "^authstrip: key 1"' - "$T/in"
done_testing
