"""What authstrip has to find, and what it must leave: one positive and one near miss for each name, shape and place of
the list. In a positive the credential stands between « and »; the rest of the text has to stay.

Tokens are made here, of a prefix and letters that a seed gives: none of them was ever anybody's.
"""
import base64
import json
import random
import string

rnd = random.Random(6)
LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM, HEX, WORD = LOWER + UPPER + DIGITS, DIGITS + "abcdef", LOWER + UPPER + DIGITS + "_"


def some(n, letters=ALNUM):
    """n letters, the first of which are of each kind that there is."""
    kinds = [k for k in (LOWER, DIGITS, UPPER) if set(k) & set(letters)]
    first = [rnd.choice(sorted(set(k) & set(letters))) for k in kinds][:n]
    return "".join(first + [rnd.choice(letters) for _ in range(n - len(first))])


def b64url(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


JWT = "%s.%s.%s" % (b64url('{"alg":"RS256","typ":"JWT"}'), b64url('{"sub":"1234567890","name":"me"}'), some(43))
PEM_BODY = "\n".join(some(64, ALNUM + "+/") for _ in range(4))
SIG = some(64, HEX)
UUID = "123e4567-e89b-12d3-a456-426614174000"
GIT = some(40, HEX)

# --- shapes: (rule, what it begins with, letters, how many, what may not be one) --------------------------------------
# The near miss is the same one letter too short, unless there is a word of its own.
SHAPES = [
    ("anthropic", "sk-ant-api03-", WORD + "-", 95, "sk-ant-api03-x"), ("anthropic", "sk-ant-admin01-", WORD + "-", 95, "sk-ant-admin"),
    ("anthropic", "sk-ant-oat01-", WORD + "-", 95, "sk-ant-oat01"), ("anthropic", "sk-ant-ort01-", WORD + "-", 95, "sk-ant-ort01-"),
    ("anthropic", "sk-ant-sid01-", WORD + "-", 95, "sk-ant"),
    ("openai", "sk-proj-", WORD + "-", 120, "sk-proj-name"), ("openai", "sk-svcacct-", WORD + "-", 120, "sk-svcacct-name"),
    ("openai", "sk-admin-", WORD + "-", 120, "sk-admin-page"), ("sk", "sk-", ALNUM, 48, "sk-learn-is-a-library-of-many"),
    ("openrouter", "sk-or-v1-", HEX, 64, "sk-or-v1-" + some(8, HEX)), ("openai-ws", "openai-insecure-api-key.", ALNUM, 32, "openai-insecure-api-key."),
    ("google-key", "AIza", WORD + "-", 35, None), ("google-oauth", "ya29.", WORD + "-", 60, "ya29.a"),
    ("google-refresh", "1//0", WORD + "-", 60, "1//0 of it"), ("google-secret", "GOCSPX-", WORD + "-", 28, "GOCSPX-x"),
    ("huggingface", "hf_", LOWER + UPPER, 34, "hf_hub_download_of_a_model"), ("huggingface", "api_org_", LOWER + UPPER, 34, None),
    ("perplexity", "pplx-", ALNUM, 48, "pplx-70b-online"), ("groq", "gsk_", ALNUM, 52, "gsk_short"), ("xai", "xai-", ALNUM, 80, "xai-sdk-python"),
    ("replicate", "r8_", ALNUM, 37, "r8_unorm"), ("tavily", "tvly-", ALNUM, 32, "tvly-python"), ("cerebras", "csk-", LOWER + DIGITS, 48, "csk-x"),
    ("nvidia", "nvapi-", WORD + "-", 64, "nvapi-x"), ("jina", "jina_", ALNUM, 60, "jina_embeddings_v3"), ("e2b", "e2b_", HEX, 40, "e2b_sandbox"),
    ("langsmith", "lsv2_pt_", HEX + "_", 42, "lsv2_x"), ("pinecone", "pcsk_", WORD, 60, "pcsk_x"), ("fireworks", "fw_", ALNUM, 24, "fw_version"),
    ("fly", "fo1_", WORD + "-", 43, "fo1_x"), ("fly", "fm2_", ALNUM + "+/", 120, "fm2_x"), ("fly", "fm1r_", ALNUM + "+/", 120, "fm1r_x"),
    ("aws", "AKIA", UPPER + "234567", 16, "AKIA" + some(20, UPPER)), ("aws", "ASIA", UPPER + "234567", 16, "ASIA" + some(12, UPPER)),
    ("aws", "ABIA", UPPER + "234567", 16, None), ("aws", "ACCA", UPPER + "234567", 16, None), ("aws", "A3TX", UPPER + "234567", 16, None),
    ("bedrock", "ABSK", ALNUM + "+/", 110, "ABSK" + some(60)), ("bedrock", "bedrock-api-key-", ALNUM, 40, "bedrock-api-key-x"),
    ("github", "ghp_", ALNUM, 36, None), ("github", "gho_", ALNUM, 36, None), ("github", "ghs_", ALNUM, 36, None), ("github", "ghu_", ALNUM, 36, None),
    ("github", "ghr_", ALNUM, 36, None), ("github", "github_pat_", WORD, 82, "github_pat_x"),
    ("gitlab", "glpat-", WORD + "-", 20, None), ("gitlab", "gldt-", WORD + "-", 20, None), ("gitlab", "glrt-", WORD + "-", 20, None),
    ("gitlab", "glptt-", WORD + "-", 20, None), ("gitlab", "glcbt-", WORD + "-", 20, None),
    ("slack", "xoxb-", DIGITS, 24, "xoxb-name"), ("slack", "xoxa-", DIGITS, 24, "xoxa-name-of-it"), ("slack", "xoxp-", DIGITS, 24, "xoxp-name-of-it"),
    ("slack", "xoxe-", DIGITS, 24, "xoxe-name-of-it"), ("slack", "xapp-", DIGITS + UPPER, 30, "xapp-name"),
    ("slack-hook", "hooks.slack.com/services/", ALNUM, 40, "hooks.slack.com/services/"),
    ("stripe", "sk_test_", ALNUM, 24, "sk_test_x"), ("stripe", "sk_live_", ALNUM, 24, "sk_live_mode"), ("stripe", "sk_prod_", ALNUM, 24, "sk_prod_mode"),
    ("stripe", "rk_test_", ALNUM, 24, "rk_test_mode"), ("stripe", "rk_live_", ALNUM, 24, "rk_live_mode"), ("stripe", "rk_prod_", ALNUM, 24, "rk_prod_mode"),
    ("stripe", "whsec_", ALNUM, 32, "whsec_x"),
    ("sendgrid", "SG." + some(22) + ".", WORD + "-", 43, "SG." + some(22) + "."), ("npm", "npm_", ALNUM, 36, "npm_config_registry"),
    ("pypi", "pypi-AgEIcHlwaS5vcmc", WORD + "-", 70, "pypi-AgE"), ("databricks", "dapi", HEX, 32, "dapi" + some(33, HEX)),
    ("grafana", "glsa_", ALNUM, 41, "glsa_x"), ("grafana", "glc_eyJ", ALNUM, 40, "glc_eyJ"), ("vault", "hvs.", WORD + "-", 90, "hvs.x"),
    ("vault", "hvb.", WORD + "-", 90, "hvb.x"), ("doppler", "dp.pt.", ALNUM, 43, "dp.pt.x"), ("doppler", "dp.st.", ALNUM, 43, "dp.st.x"),
    ("linear", "lin_api_", ALNUM, 40, "lin_api_x"), ("notion", "ntn_", ALNUM, 46, "ntn_x"), ("newrelic", "NRAK-", UPPER + DIGITS, 27, None),
    ("sentry", "sntrys_", ALNUM, 60, "sntrys_x"), ("sentry", "sntryu_", HEX, 64, None), ("sourcegraph", "sgp_", HEX, 40, None),
    ("1password", "ops_eyJ", ALNUM, 60, "ops_eyJ"), ("age", "AGE-SECRET-KEY-1", UPPER + DIGITS, 58, "AGE-SECRET-KEY-1"),
    ("digitalocean", "dop_v1_", HEX, 64, None), ("digitalocean", "doo_v1_", HEX, 64, None), ("digitalocean", "dor_v1_", HEX, 64, None),
    ("shopify", "shpat_", HEX, 32, None), ("shopify", "shpss_", HEX, 32, None), ("shopify", "shpca_", HEX, 32, None),
    ("postman", "PMAK-", HEX, 59, "PMAK-x"), ("rubygems", "rubygems_", HEX, 48, None), ("supabase", "sbp_", HEX, 40, None),
    ("figma", "figd_", WORD + "-", 43, "figd_x"), ("atlassian", "ATATT3", WORD + "-=", 180, "ATATT3"),
    ("jwt", JWT[:JWT.rindex(".") + 1], WORD + "-", 43, b64url('{"alg":"none"}') + " and no more"),
    ("jwe", b64url('{"alg":"dir","enc":"A256GCM"}') + "..", WORD + "-", 16, None),
    ("jwt-base64", "ZXlK", ALNUM, 80, "ZXlK"),
]


def make_shapes():
    for rule, start, letters, n, miss in SHAPES:
        body = some(n, letters)
        if rule == "jwe":
            body = "%s.%s.%s" % (some(16), some(40), some(22))
        elif rule == "sk":
            body = some(20) + "T3BlbkFJ" + some(20)
        yield rule, start, start + body, start + body[:n - 1] if miss is None and rule != "jwe" else miss or start + some(16)


TOKENS = list(make_shapes())	# (rule, start, token, near miss)

# --- names ------------------------------------------------------------------------------------------------------------
HEADERS = """authorization proxy-authorization cookie cookie2 x-api-key api-key apikey x-apikey x-goog-api-key
x-goog-iam-authorization-token x-amz-security-token ocp-apim-subscription-key x-functions-key x-ms-token-aad-access-token
x-ms-token-aad-id-token x-auth-token x-access-token x-csrf-token x-xsrf-token x-session-token x-github-token private-token
job-token deploy-token x-vault-token x-consul-token dd-api-key dd-application-key x-honeycomb-team x-sentry-auth
x-shopify-access-token x-slack-signature x-hub-signature x-hub-signature-256 stripe-signature x-twilio-signature
x-forwarded-access-token x-amz-cognito-access-token cf-access-client-secret cf-access-jwt-assertion cf-authorization
fly-forwarded-token set-cookie set-cookie2 authentication-info x-subject-token x-my-secret my-credential x-their-password
x-upstream-passwd a-session-b x-auth-b the-api-key x-signature-v2""".split()
HEADER_IDS = """anthropic-organization-id openai-organization openai-project chatgpt-account-id x-goog-user-project
x-session-id mcp-session-id""".split()
HEADERS_KEPT = """content-type host accept user-agent x-amz-content-sha256 x-amzn-bedrock-input-token-count
x-amzn-bedrock-output-token-count x-stainless-helper x-stainless-lang sec-websocket-key anthropic-version
x-ratelimit-limit-tokens x-ratelimit-remaining-tokens x-ratelimit-reset-tokens x-ratelimit-remaining-requests
anthropic-ratelimit-tokens-limit anthropic-ratelimit-tokens-remaining anthropic-ratelimit-tokens-reset
anthropic-ratelimit-input-tokens-limit anthropic-ratelimit-output-tokens-remaining content-security-policy x-request-id
request-id etag openai-processing-ms author x-authored-by cache-control""".split()

PARAMS = """key api_key apikey api-key access_token refresh_token id_token token auth auth_token authtoken client_secret
client_assertion code code_verifier state assertion password passwd pwd secret sig signature sas X-Amz-Credential
X-Amz-Signature X-Amz-Security-Token X-Goog-Signature X-Goog-Credential AWSAccessKeyId jwt session sessionid ticket
SAMLResponse hmac""".split()
PARAMS_KEPT = """q page page_token next_page_token max_tokens sv keyword tokenizer author codec X-Amz-Date X-Amz-Expires
X-Amz-SignedHeaders X-Amz-Algorithm sort_key""".split()

KEYS = """api_key apiKey x-api-key authorization access_token accessToken refresh_token refreshToken id_token
idToken client_secret clientSecret password passphrase private_key privateKey secret_access_key secretAccessKey session_token
sessionToken aws_secret_access_key aws_session_token aws_access_key_id bearer_token secret OPENAI_API_KEY db_password
my_secret userPassword""".split()
KEYS_RANDOM = "bearer token auth jwt credential".split()	# when the value looks like one
KEYS_KEPT = """max_tokens prompt_tokens completion_tokens total_tokens input_tokens output_tokens cached_tokens
cache_read_input_tokens next_page_token eos_token pad_token page_token primary_key public_key foreign_key cache_key
token_count tokens key keys author authors secretary passwordless_allowed""".split()

# --- texts: (rule, positive, near miss), anywhere ------------------------------------------------------------------------
T = some(32)
TEXTS = [
    # a token whose shape begins before its literal start, within a value: was looked at for ever
    ("azure", "token = '«%sJQQJ99%s»'" % (some(52), some(24)), "token = 'none'"),
    ("newrelic", "license_key: «%sNRAL»\n" % some(36, HEX), "license_key: none\n"),
    ("docker", "docker login -u me -p «dckr_pat_%s»" % some(27), "docker login -u me"),
    # places of every kind
    ("param", "user[password]=«%s»&x=1" % T, "user[name]=%s&x=1" % "bob"), ("param", "user%%5Bpassword%%5D=«%s»" % T, "user%5Bname%5D=bob"),
    ("param", 'name="password"\r\n\r\n«%s»\r\n--x--' % T, 'name="file"\r\n\r\nbob\r\n--x--'),
    ("env", "INSERT INTO users (name, password) VALUES ('bob', '«%s»'), ('eve', '«%s»')" % (some(20), some(22)), "INSERT INTO users (name, town) VALUES ('bob', 'x')"),
    ("env", "key = process.env.API_TOKEN || '«%s»'" % T, "key = process.env.API_TOKEN || 'none'"), ("env", 'ENV["API_TOKEN"] ||= "«%s»"' % T, 'ENV["API_URL"] ||= "x"'),
    ("env", 'System.setProperty("db.password", "«%s»")' % T, 'System.setProperty("db.name", "x")'), ("env", '"api-key" = "«%s»"' % T, '"api-version" = "1"'),
    ("env", 'secret := []byte("«%s»")' % T, 'secret := []byte("")'), ("env", 'API_KEY = (\n    "«%s»"\n)' % T, 'API_KEY = (\n    other\n)'),
    ("env", "USER bob\r\nPASS «%s»\r\n" % T, "USER bob\r\nPASS it on\r\n"), ("env", "- **API key:** `«%s»`" % T, "- **API key:** see below"),
    ("env", "api_key <- \"«%s»\"" % T, "api_key <- get_key()"), ("key", "&lt;password&gt;«%s»&lt;/password&gt;" % T, "&lt;name&gt;bob&lt;/name&gt;"),
    ("bearer", "use Bearer «%s» for it" % T, "Bearer authentication is what it wants"),
    ("bearer", "bearer «%s»" % some(40), "bearer tokens of any kind"),
    ("basic", "Basic «%s» goes" % base64.b64encode(b"user:password").decode(), "Basic authentication of users"),
    ("url-password", "postgres://me:«p4ss»@db.example/x", "postgres://me@db.example/x"),
    ("url-password", "mysql+pymysql://root:«s3cr3t!»@10.0.0.1:3306/a", "http://host:8080/a@b"),
    ("url-password", "redis://:«%s»@cache:6379/0" % some(12), "redis://cache:6379/0"),
    ("url-password", "mongodb+srv://u:«p%40w»@c.example/?retryWrites=true", "mongodb+srv://${USER}:${PASS}@c.example/"),
    ("url-password", "https://«%s»:«x-oauth-basic»@github.com/a" % ("ghp_" + some(36)), "https://me@github.com/a"),
    ("url-password", "amqp://guest:«guest»@mq//", "amqp://mq/a:b@c"),
    ("url-password", "git clone https://«%s»@github.com/a/b" % some(30), "git clone https://git@github.com/a/b"),
    ("url-password", "u=postgres%3A%2F%2Fme%3A«pw1»%40db%2Fx", "u=https%3A%2F%2Fexample.com%2Fme%40x"),
    ("private-key", "-----BEGIN RSA PRIVATE KEY-----«\n" + PEM_BODY + "\n»-----END RSA PRIVATE KEY-----\nrest",
     "-----BEGIN PUBLIC KEY-----\n" + PEM_BODY + "\n-----END PUBLIC KEY-----\n"),
    ("private-key", "-----BEGIN OPENSSH PRIVATE KEY-----«\n" + PEM_BODY + "\n»-----END OPENSSH PRIVATE KEY-----",
     "-----BEGIN CERTIFICATE-----\n" + PEM_BODY + "\n-----END CERTIFICATE-----\n"),
    ("private-key", "-----BEGIN PRIVATE KEY-----«\n" + PEM_BODY + "\n»-----END PRIVATE KEY-----", "a file with -----BEGIN PRIVATE KEY----- in it"),
    ("key", "AWS4-HMAC-SHA256 Credential=«AKIDEXAMPLE/20261124/us-east-1/bedrock/aws4_request», SignedHeaders=host, Signature=«%s»" % SIG,
     "AWS4-HMAC-SHA256 with SignedHeaders=host;x-amz-date, Signature=none"),
    ("flag", "curl -u me:«pw» https://x.example/", "ls -u me:pw /tmp"), ("flag", "curl --user me:«pw» https://x.example/", "rsync --user me:pw x"),
    ("header", "curl -H 'Authorization: «Token abc»' https://x.example/", "curl -H 'Accept: text/html' https://x.example/"),
    ("header", 'curl -H "X-Api-Key: «abc»" https://x.example/', 'curl -H "X-Trace: abc" https://x.example/'),
    ("flag", "mysql --password «hunter2» db", "mysql --password is asked for"), ("flag", "tool --api-key=«abc» run", "tool --api-version=abc run"),
    ("flag", "tool --token «%s»" % T, "tool --max-tokens 4096"),
    ("env", "OPENAI_API_KEY=«abcdef»\nB=1", "OPENAI_BASE_URL=https://x.example/v1\nB=1"),
    ("env", "export GITHUB_TOKEN=«abc1» && make", "export GITHUB_ACTOR=abc1 && make"), ("env", "DB_PASSWORD: «abc123»\nDB_USER: me", "DB_PASSWORD: ${DB_PASSWORD}"),
    ("env", "AWS_SECRET_ACCESS_KEY=«%s»" % some(40, ALNUM + "+/"), "AWS_REGION=us-east-1"), ("env", "MY_SECRET=«a»", "MY_SECRET=$OTHER"),
    ("env", "Server=db;User Id=me;Password=«p w»;Encrypt=true".replace("p w", "p1w"), "Server=db;User Id=me;Encrypt=true"),
    ("env", "SSHPASS=«hunter2» sshpass -e ssh h", "PATH=/usr/bin ssh h"),
    ("env", "AccountName=a;AccountKey=«%s»;EndpointSuffix=core" % base64.b64encode(b"0123456789abcdef" * 4).decode(), "AccountName=a;EndpointSuffix=core"),
    ("key", '<password>«hunter2»</password>', '<paragraph>hunter2</paragraph>'),
    ("key", 'os.environ["API_KEY"] = "«abc1»"', 'os.environ["API_URL"] = "abc1"'),
    ("key", "{'api_key': '«abc»', 'n': 1}", "{'api_version': 'abc', 'n': 1}"),
]

# The same, not to be cut: what stands before the word that tells has passed by then.
WHOLE = [
    # and the n of "\n" is none of its letters
    ("maker", "x\n«acme_live_%s»\n" % some(24), "x\nacme_live_mode"),
    ("maker", "x\t«acme_secret_%s»\\n" % some(30), "x\tacme_secret_name"),
]

# --- what is no credential --------------------------------------------------------------------------------------------------
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(rnd.randrange(256) for _ in range(30000))).decode()
INNOCENT = [
    '{"usage":{"input_tokens":12,"output_tokens":3456,"cache_read_input_tokens":0,"total_tokens":"3468"},"max_tokens":4096}',
    '{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","request_id":"req_011CSHoEeqs5C35K2UUqR7Fy","tool_use_id":"toolu_01A09q90qw90lq917835lq9"}',
    '{"id":"chatcmpl-9nYGCOEmNBWeJrHiKJ5hWxkDCjTRq","system_fingerprint":"fp_44709d6fcb","call_id":"call_abc123DEF456ghi789JKL012"}',
    "commit %s\nAuthor: Me <me@example.com>\nDate: today\n\n    sha256:%s tree %s" % (GIT, some(64, HEX), some(40, HEX)),
    "the id is %s, md5 %s" % (UUID, some(32, HEX)),
    "x-ratelimit-limit-tokens: 30000\r\nx-ratelimit-remaining-tokens: 29984\r\nx-ratelimit-reset-tokens: 32ms\r\n",
    "anthropic-ratelimit-input-tokens-limit: 400000\r\nanthropic-ratelimit-tokens-reset: 2026-11-24T00:00:00Z\r\n",
    '{"type":"image","source":{"type":"base64","media_type":"image/png","data":"%s"}}' % PNG,
    "data:image/png;base64," + PNG[:4000],
    "Basic usage: the token is a unit of text. A session key, a primary key; passwords are hashed. Authorization is needed.",
    "def tokenize(text, max_tokens=512): return tokenizer.encode(text)\nfor token in tokens: print(token.text)\nkey = lambda x: x[0]",
    "if (key === 'Enter') { state = next(state); } const auth = useAuth(); session.get('/x'); token = parser.next_token()",
    'password = getpass.getpass("Password: ")\nsecret = os.environ["SECRET"]\ntoken = get_token(config)\napi_key = settings.api_key',
    "npm install sk-learn && pip install hf_transfer && cargo add ghp_rs && npm_config_cache=/tmp npm ci",
    '{"logprobs":{"content":[{"token":"Hello","logprob":-0.1,"bytes":[72]},{"token":" world","logprob":-0.2}]}}',
    '{"name":"password","type":"string","description":"The password to use","required":["password","token"]}',
    '{"properties":{"api_key":{"type":"string"},"token":{"type":"string"},"password":{"type":"null"}}}',
    "https://example.com/a?q=1&page_token=&next=2#key", "https://example.com/?state=open&code=200", "user@example.com wrote to a:b@c",
    "GET /v1/models?limit=20 HTTP/1.1\r\nHost: api.example\r\nAccept: */*\r\n\r\n", "PWD=/home/me/src\nOLDPWD=/home/me\nTERM=xterm",
    "The key point: state the code, then sign. Session 1: auth (optional). Cookie policy. Signature: none.",
    "pwd = None\nself.pwd = pwd\nf(pwd=pwd, n=1)\nmy $pwd = cwd();\npwd = os.getcwd()\nPASSWD = getpass.getpass(q)\nPseudoToken = Whitespace + Rest",
    "spaceAfterToken = false;\nmsg = `invalid identity token: ${identityToken}`,",
    "{'HAVE_PASSWD': 1, 'password': 0}", "C<passwd>, C<uid>, C<gid>", "import { token } from './token'; export const KEY_CODES = { enter: 13 };", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ" + some(120) + " me@host",
    '{"integrity":"sha512-%s","resolved":"https://registry.example/a/-/a-1.0.0.tgz"}' % base64.b64encode(bytes(range(64))).decode(),
]
# JSON that ends a string where a value may begin.
BROKEN = ['{"type":"x.y","t":"%s","u":"x","v":"y"}' % t for t in (
    "the password: ", "password=", "os.environ[\\\"API_KEY\\\"] = ", "{'api_key': ", "{\\\"api_key\\\": ", "--password ", "Authorization: ", "-----BEGIN PRIVATE KEY-----",
    "curl -u ", "curl -u me:", "https://me:", "?key=", "Bearer ", "Basic ", "<password>", "api_key => ", "token := ", "password: \\\\")]

# What makes a search that looks back, or looks far in vain, take for ever.
HOSTILE = ["-----BEGIN PRIVATE KEY-----", '"password":"', "api_key=", "password: a", "://a:", "Basic ", "Bearer ", "\\", '\\\\"key', "sk-", "eyJaaaaaaaaaa.",
           "cookie: ", "authorization: {", "/ZXlK-", "key:", "?a-session-b=", 'key":[', '"key":{', "bearer+", "curl -u ", "%2f%2fa%3a", "[REDACTED]", "code=",
           "token=$", "<password>", "'token': ", 'delta":{"text":"', "\\u0061", "sig=", "a=b;password=", 'key\\\\\\\\\\\\\\":', "\\u0022key\\u0022:"]
