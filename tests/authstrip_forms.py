"""Credentials as they are met: in the forms that their makers give them, and in the places where they stand.

FORMS are tokens as documented or issued: a name and a template. In a template {20a} stands for
20 letters of a class: a letters and digits, l lower case and digits, u upper case and digits, h and H hexadecimal, d digits,
w a and - _, b base64, L letters, U capitals; {u4} is a UUID."""
import base64
import json
import random
import re
import string

TEMPLATES = """
atlassian-short      ATATT3xFfGF0{8a}={8H}
cloudflare-dotted    v1.0-{20w}.{40w}.{80w}
rubygems-mixed       rubygems_{48a}
slack-numbered       xoxb2-{12d}-{24a}
voiceflow-a          VF.A{23h}.{16a}
voiceflow-workspace  VF.WS.{24h}.{16a}
mapbox-short         sk.{40a}.{22a}
sendgrid-marks       SG.{10w}={20w}.{34w}
yandex-short         t1.{4a}==.{86w}
zapier-short         hooks.zapier.com/hooks/catch/{16a}
jwt-padded           ewoi{20a}=.ewoi{16a}.{16a}
paystack-other       sk_n_{40a}
checkio              pk_{48l}
langfuse-public      pk-lf-{u4}
blynk                oa2-client-secret_{32w}
freemius             sk_{29a}
launchdarkly-secret  launchdarkly-secret-{8h}-{4h}-{4h}-{4h}-{12h}
aws-user-id          AIDA{16U}
aws-role-id          AROA{16U}
aws-group-id         AGPA{16U}
aws-profile-id       AIPA{16U}
aws-policy-id        ANPA{16U}
aws-version-id       ANVA{16U}
aws-key-id           APKA{16U}
aws-certificate-id   ASCA{16U}
square-sandbox       sandbox-sq0csb-{43w}
nrak-lower           nrak-{27l}
nrii-lower           nrii-{32l}
launchdarkly-old     launchdarkly-private-{8a}-{4a}-{4a}-{4a}-{12a}
besttime             pri_{32h}
close                api_{22a}.{22a}
column               live_{27a}
column-test          test_{27a}
lob-live             live_{35h}
lob-test             test_{35h}
lob-live-public      live_pub_{31h}
lob-public           test_pub_{31h}
checkout             sk_{u4}
checkout-sandbox     sk_sbox_{u4}
photoroom            sk_pr_{40a}
iex                  sk_{32l}
klaviyo              pk_{6a}_{34h}
klaviyo-old          pk_{34h}
convertapi           secret_{16a}
ecostruxure          AK1{53a}
finage               API_KEY{32u}
gemini-exchange      master-{20a}
gemini-account       account-{20a}
fleetbase            flb_live_{20a}
fullstory            na1.{100a}
fullstory-eu         eu1.{100a}
pagarme              ak_live_{30a}
pagarme-encryption   ek_test_{30a}
pubnub-publish       pub-c-{u4}
pubnub-subscribe     sub-c-{u4}
pubnub-secret        sec-c-{48a}
smooch               act_{24h}
salesblink           key-{80a}
shutterstock         v2/{388a}
mapbox-public        pk.eyJ1Ijoi{60a}.{22a}
locationiq           pk.{32h}
azure-repository     git&{12d}&{85a}==
airtable-oauth       {16a}.v1.{20a}.{64h}
dropbox-long         {11l}AAAAAAAAAA{43w}
defined              dnkey-{26l}-{52l}
jwt-spaced           ewog{20a}.{40a}.{43a}
anthropic            sk-ant-api03-{93w}AA
anthropic-admin      sk-ant-admin01-{93w}AA
anthropic-oauth      sk-ant-oat01-{93w}AA
anthropic-refresh    sk-ant-ort01-{93w}AA
anthropic-session    sk-ant-sid01-{86w}-{8w}
openai-project       sk-proj-{74w}T3BlbkFJ{74w}
openai-service       sk-svcacct-{58w}T3BlbkFJ{58w}
openai-admin         sk-admin-{58w}T3BlbkFJ{58w}
openai-none          sk-None-{20a}T3BlbkFJ{20a}
openai-legacy        sk-{20a}T3BlbkFJ{20a}
openai-session       sess-{40a}
openai-ephemeral     ek_{32h}
openai-ephemeral2    ek_{44a}
openai-websocket     openai-insecure-api-key.sk-proj-{48a}
deepseek             sk-{32h}
openrouter           sk-or-v1-{64h}
langfuse             sk-lf-{u4}
helicone             sk-helicone-{7l}-{7l}-{7l}-{7l}
groq                 gsk_{52a}
xai                  xai-{80a}
perplexity           pplx-{48a}
replicate            r8_{37a}
huggingface          hf_{34L}
huggingface-org      api_org_{34L}
together             tgp_v1_{43w}
fireworks            fw_{24a}
cerebras             csk-{48l}
nvidia               nvapi-{64w}
voyage               pa-{43w}
jina                 jina_{60a}
tavily               tvly-{32a}
tavily-dev           tvly-dev-{32a}
firecrawl            fc-{32h}
e2b                  e2b_{40h}
langsmith            lsv2_pt_{32h}_{10h}
langsmith-service    lsv2_sk_{32h}_{10h}
langchain-old        ls__{32h}
pinecone             pcsk_{6a}_{63a}
elevenlabs           sk_{48h}
runpod               rpa_{44u}
anyscale             esecret_{26l}
friendli             flp_{44a}
brave                BSA{28w}
browserbase          bb_live_{27w}
mem0                 m0-{40a}
upstage              up_{30a}
wandb                wandb_v1_{40a}_{40a}
google-key           AIza{35w}
google-oauth         ya29.{120w}
google-refresh       1//0{60w}
google-secret        GOCSPX-{28w}
google-fcm           AAAA{7w}:APA91b{134w}
aws-key              AKIA{16U}
aws-session          ASIA{16U}
aws-bedrock-long     ABSK{109b}=
aws-bedrock-short    bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t{64b}
aws-appsync          da2-{26l}
aws-mws              amzn.mws.{u4}
amazon-lwa           amzn1.oa2-cs.v1.{64h}
alibaba              LTAI{20a}
tencent              AKID{32a}
volcengine           AKLT{40a}
yandex-iam           t1.{60w}.{86w}
yandex-key           AQVN{36w}
yandex-aws           YCA{37w}
yandex-oauth         y0_{55w}
github-pat           ghp_{36a}
github-oauth         gho_{36a}
github-user          ghu_{36a}
github-server        ghs_{36a}
github-refresh       ghr_{76a}
github-fine          github_pat_{22a}_{59a}
gitlab-pat           glpat-{20w}
gitlab-pat-routable  glpat-{27w}.{2l}{7l}
gitlab-runner        glrt-{20w}
gitlab-runner2       glrt-t1_{27w}.{2l}{7l}
gitlab-runner-reg    glrtr-{20w}
gitlab-old-runner    GR1348941{20w}
gitlab-trigger       glptt-{40h}
gitlab-deploy        gldt-{20w}
gitlab-feed          glft-{20w}
gitlab-mail          glimt-{25w}
gitlab-agent         glagent-{50w}
gitlab-oauth         gloas-{64w}
gitlab-scim          glsoat-{20w}
gitlab-flags         glffct-{20w}
gitlab-job           glcbt-{2l}_{20w}
gitlab-workspace     glwt-{20w}
gitlab-session       _gitlab_session={32h}
bitbucket-app        ATBB{32a}
bitbucket-dc         BBDC-{44b}
atlassian            ATATT3xFfGF0{180w}={8H}
atlassian-access     ATCTT3xFfGN0{180w}={8H}
trello               ATTA{64h}{8H}
azure-devops         {76a}AZDO{4a}
azure-ad             {3a}8Q~{34w}
azure-storage        {76b}+ASt{6b}==
azure-cosmos         {76a}ACDb{6a}==
azure-eventhub       {33b}+AEh{5b}=
azure-servicebus     {33b}+ASb{5b}=
azure-iot            {33b}AIoT{5b}=
azure-functions      {44w}AzFu{5w}==
azure-search         {42a}AzSe{6a}
azure-registry       {42b}+ACR{6a}
azure-redis          {33b}AzCa{5b}=
azure-batch          {76b}+ABa{6b}==
azure-openai         {52a}JQQJ99{26a}
buildkite            bkua_{40h}
circleci             CCIPAT_{22a}_{40h}
circleci-project     CCIPRJ_{22a}_{40h}
npm                  npm_{36a}
pypi                 pypi-AgEIcHlwaS5vcmc{70w}
testpypi             pypi-AgENdGVzdC5weXBpLm9yZw{70w}
nuget                oy2{43l}
rubygems             rubygems_{48h}
crates               cio{32a}
clojars              CLOJARS_{60l}
docker-pat           dckr_pat_{27w}
docker-oat           dckr_oat_{32w}
jfrog-key            AKCp{69a}
jfrog-reference      cmVmdGtuOj{54a}
sonar-user           squ_{40h}
sonar-project        sqp_{40h}
sonar-analysis       sqa_{40h}
sonarcloud           sqco_{59a}
sourcegraph          sgp_{16h}_{40h}
sourcegraph-local    sgp_local_{40h}
sourcegraph-cody     slk_{64h}
segment              sgp_{64a}
launchdarkly-api     api-{u4}
launchdarkly-sdk     sdk-{u4}
posthog              phx_{43a}
sentry-user          sntryu_{64h}
sentry-org           sntrys_eyJpYXQiO{90b}={1z}_{43b}
newrelic-user        NRAK-{27u}
newrelic-insert      NRII-{32w}
newrelic-query       NRIQ-{32w}
newrelic-admin       NRAA-{27h}
newrelic-browser     NRJS-{19h}
newrelic-license     {32h}FFFFNRAL
newrelic-mobile      AA{40h}-NRMA
newrelic-pixie       px-api-{u4}
grafana-service      glsa_{32a}_{8h}
grafana-cloud        glc_eyJ{80a}
grafana-old          eyJrIjoi{72a}
honeycomb            hcaik_{58a}
dynatrace            dt0c01.{24u}.{64u}
pagerduty            u+{18w}
rootly               rootly_{64h}
axiom                xaat-{u4}
doppler              dp.pt.{43a}
doppler-service      dp.st.dev.{43a}
doppler-cli          dp.ct.{43a}
doppler-scim         dp.scim.{43a}
doppler-audit        dp.audit.{43a}
vault                hvs.{95w}
vault-batch          hvb.{140w}
vault-recovery       hvr.{95w}
vault-old            s.{24a}
onepassword-service  ops_eyJ{260a}
onepassword-secret   A3-{6u}-{6u}-{5u}-{5u}-{5u}-{5u}
tailscale-auth       tskey-auth-{11a}-{32a}
tailscale-api        tskey-api-{11a}-{32a}
tailscale-client     tskey-client-{11a}-{32a}
cloudflare-ca        v1.0-{24h}-{146h}
cloudflare-key       cfk_{40a}{8h}
cloudflare-user      cfut_{40a}{8h}
cloudflare-account   cfat_{40a}{8h}
netlify              nfp_{40a}
vercel               vcp_{56a}
vercel-blob          vercel_blob_rw_{16a}_{32a}
heroku               HRKU-AA{58w}
render               rnd_{28a}
fly                  fo1_{43w}
fly-macaroon         fm2_{140b}
digitalocean         dop_v1_{64h}
digitalocean-oauth   doo_v1_{64h}
digitalocean-refresh dor_v1_{64h}
scaleway             SCW{17u}
databricks           dapi{32h}
databricks-2         dapi{32h}-2
databricks-oauth     dose{32h}
planetscale          pscale_pw_{43w}
planetscale-token    pscale_tkn_{43w}
planetscale-oauth    pscale_oauth_{43w}
neon                 napi_{64l}
supabase             sbp_{40h}
supabase-secret      sb_secret_{31w}
mongodb              mdb_sa_sk_{6w}{34a}
clickhouse           4b1d{38a}
materialize          mzp_{64h}
aiven                AVNS_{19w}
dbt                  dbtc_{43w}
stripe               sk_live_{24a}
stripe-test          sk_test_{99a}
stripe-restricted    rk_live_{24a}
stripe-webhook       whsec_{32a}
stripe-intent        pi_{24a}_secret_{25a}
square               sq0atp-{22w}
square-secret        sq0csp-{43w}
square-new           EAAA{60w}
shippo               shippo_live_{40h}
easypost             EZAK{54a}
easypost-test        EZTK{54a}
braintree            access_token$production${16l}${32h}
plaid                access-production-{u4}
razorpay             rzp_live_{14a}
paystack             sk_live_{40a}
flutterwave          FLWSECK-{32l}-X
flutterwave-test     FLWSECK_TEST-{32h}-X
flutterwave-enc      FLWSECK_TEST{12h}
duffel               duffel_live_{43w}
mollie               live_{30a}
lob                  live_{35h}
gocardless           live_{40w}
paddle               pdl_live_apikey_{26l}_{22a}_{3a}
polar                polar_oat_{43a}
klarna               klarna_live_api_{100a}
ramp                 ramp_sec_{48a}
shopify              shpat_{32h}
shopify-custom       shpca_{32h}
shopify-private      shppa_{32h}
shopify-secret       shpss_{32h}
slack-bot            xoxb-{12d}-{12d}-{24a}
slack-user           xoxp-{12d}-{12d}-{12d}-{32h}
slack-legacy         xoxs-{10d}-{10d}-{10d}-{10h}
slack-app            xapp-1-A{10u}-{13d}-{64h}
slack-config         xoxe.xoxp-1-{163u}
slack-refresh        xoxe-1-{146u}
slack-client         xoxc-{12d}-{12d}-{12d}-{64h}
slack-cookie         xoxd-{60a}
slack-hook           https://hooks.slack.com/services/T{10u}/B{10u}/{24a}
slack-workflow       https://hooks.slack.com/workflows/T{10u}/A{10u}/{18d}/{24a}
slack-trigger        https://hooks.slack.com/triggers/T{10u}/{13d}/{32h}
discord-bot          MT{24a}.G{5a}.{38w}
discord-bot2         NzA{21a}.X{5a}.{27w}
discord-hook         https://discord.com/api/webhooks/{18d}/{68w}
discordapp-hook      https://discordapp.com/api/webhooks/{18d}/{68w}
telegram             {10e}:AA{33w}
teams-hook           https://acme.webhook.office.com/webhookb2/{u4}@{u4}/IncomingWebhook/{32h}/{u4}
outlook-hook         https://outlook.office.com/webhook/{u4}@{u4}/IncomingWebhook/{32h}/{u4}
zapier-hook          https://hooks.zapier.com/hooks/catch/{7d}/{7l}/
tines-hook           https://x-y-1.tines.com/webhook/{32h}/{32h}
twilio               SK{32h}
sendgrid             SG.{22w}.{43w}
mailgun              key-{32h}
mailgun-signing      {32h}-{8h}-{8h}
mailchimp            {32h}-us12
mandrill             md-{22w}
brevo                xkeysib-{64h}-{16a}
brevo-smtp           xsmtpsib-{64h}-{16a}
resend               re_{8a}_{24a}
hubspot              pat-na1-{u4}
typeform             tfp_{44w}
airtable             pat{14a}.{64h}
linear               lin_api_{40a}
linear-oauth         lin_oauth_{64h}
notion               ntn_{11d}{35a}
notion-old           secret_{43a}
asana                2/{16d}/{16d}:{32h}
clickup              pk_{8d}_{32u}
figma                figd_{40w}
figma-plan           figp_{44w}
dropbox              sl.{135w}
contentful           CFPAT-{43w}
mapbox               sk.eyJ1Ijoi{60a}.{22a}
maxmind              {6a}_{29a}_mmk
facebook             EAACEdEose0cBA{60a}
facebook-page        EAAM{120a}
instagram            IGQV{130a}
twitter-bearer       AAAAAAAAAAAAAAAAAAAAA{60a}%3D{40a}
salesforce           00D{12a}!{96a}
salesforce-consumer  3MVG9{80a}
salesforce-refresh   5Aep861{80a}
zoho                 1000.{32h}.{32h}
okta                 00{40w}
telnyx               KEY0{32H}_{22a}
nexmo-app            oauth:{30l}
twitch-stream        live_{9d}_{30a}
pulumi               pul-{40h}
terraform            {14a}.atlasv1.{67a}
harness              pat.{22w}.{24h}.{20a}
harness-service      sat.{22w}.{24h}.{20a}
octopus              API-{26u}
openshift            sha256~{43w}
prefect              pnu_{36a}
portainer            ptr_{44b}
infracost            ico-{32a}
intra42              s-s4t2ud-{64h}
readme               rdme_{70l}
scalingo             tk-us-{48w}
settlemint           sm_aat_{16a}
settlemint-pat       sm_pat_{16a}
adafruit             aio_{28a}
adobe                p8e-{32l}
age                  AGE-SECRET-KEY-1{58B}
apify                apify_api_{36a}
alchemy              alcht_{30a}
artifactory-jwt      eyJ2ZXIiOiIyIi{40w}.eyJ{60w}.{80w}
bannerbear           bb_pr_{30h}
deno                 ddp_{36a}
dependency-track     odt_{32a}
endor                endr+{16a}
fleetbase            flb_live_{20a}
flexport             shltm_{40w}
frameio              fio-u-{64w}
ionic                ion_{42l}
nightfall            NF-{32a}
pagarme              ak_live_{30a}
recharge             sk_1x1_{64h}
robinhood            rh-api-{u4}
salad                salad_cloud_{5a}_{40a}
stackhawk            hawk.{20w}.{20w}
teamwork             tkn.v1_{71a}=
tickettailor         sk_{4d}_{6d}_{32h}
trufflehog           thog-key-{16h}
trufflehog-secret    thog-secret-{32h}
ubidots              BBFF-{30a}
voiceflow            VF.DM.{24h}.{16a}
webex                {64a}_PF84_{u4}
wakatime             waka_{u4}
inngest              signkey-prod-{64h}
calcom               cal_live_{32h}
mercadopago          APP_USR-{16d}-{6d}-{32h}-{9d}
tinybird             p.eyJ{80a}.{27w}
elastic              essu_{80a}
coralogix            cxtp_{30a}
nostr                nsec1{58l}
bitcoin              xprv9s21ZrQH143K{95a}
jwt                  {J}
jwe                  eyJhbGciOiJSU0EtT0FFUCJ9.{40w}.{16w}.{60w}.{22w}
shadow-sha512        $6${16a}${86a}
shadow-sha512-rounds $6$rounds=5000${16a}${86a}
shadow-sha256        $5${16a}${43a}
shadow-md5           $1${8a}${22a}
shadow-yescrypt      $y$j9T${22a}${43a}
bcrypt               $2b$12${53a}
apache-md5           $apr1${8a}${22a}
phpass               $P$B{30a}
argon2               $argon2id$v=19$m=65536,t=3,p=4${22b}${43b}
ldap-ssha            {SSHA}{38b}==
django               pbkdf2_sha256$600000${22a}${43b}=
scram                SCRAM-SHA-256$4096:{22b}==${43b}=:{43b}=
werkzeug             scrypt:32768:8:1${16a}${128h}
mysql-native         *{40H}
pem-base64           LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo{200b}
acme                 acme_sk_live_{32a}
acme-pat             acme_pat_{40a}
acme-secret          acmesecret_{40a}
authress             sc_{12l}.{4l}.acc_{20l}.{60a}
bitwarden            0.{u4}.{30a}:{22b}==
"""

# Kinds of places and texts: the credential is {S} (letters and digits), {W} (a password that somebody chose), {U} (a UUID),
# {H} (hexadecimal), {B} (base64 of user:password), {P} (lines of a key) and so on: see place().
PLACES = [
# JSON
("json", '{"client_secret":"{S}"}'), ("json", '{"db":{"password":"{W}"}}'), ("json", '{"name":"DB_PASSWORD","value":"{W}"}'),
("json", '{"value":"{S}","name":"API_TOKEN"}'), ("json", '{"Key":"SECRET_KEY","Value":"{S}"}'), ("json", '{"key":"password","value":"{W}","enabled":true}'),
("json", '[{"name":"authorization","value":"Bearer {S}"}]'), ("json", '{"headers":[["authorization","Bearer {S}"]]}'),
("json", '{"headers":[["x-api-key","{S}"],["accept","*/*"]]}'), ("json", '{"password":{"value":"{W}"}}'), ("json", '{"secret":{"current":{"value":"{S}"}}}'),
("json", '{"api_keys":["{S}","{S2}"]}'), ("json", '{"tokens":{"access":"{S}","refresh":"{S2}"}}'), ("json", '{"secrets":{"db":"{S}","smtp":"{S2}"}}'),
("json", '{"credentials":{"username":"bob","password":"{W}"}}'), ("json", '{"auths":{"https://index.docker.io/v1/":{"auth":"{B}"}}}'),
("json", '{"private_key_id":"{H}","private_key":"-----BEGIN PRIVATE KEY-----\\n{P1}\\n-----END PRIVATE KEY-----\\n"}'),
("json", '{"env":["HOME=/root","DB_PASSWORD={W}"]}'), ("json", '{"env":{"ANTHROPIC_AUTH_TOKEN":"{S}"}}'), ("json", '{"cookies":[{"name":"sessionid","value":"{S}"}]}'),
("json", '{"kty":"OKP","crv":"Ed25519","x":"pub","d":"{S43}"}'), ("json", '{"kty":"oct","k":"{S43}"}'),
("json", '{"SecretString":"{\\"username\\":\\"u\\",\\"password\\":\\"{W}\\"}"}'), ("json", '{"encryptionKey":"{S}","n":1}'), ("json", '{"connectionString":"Server=x;Pwd={W};"}'),
("json", '{"webhook_secret":"{S}"}'), ("json", '{"smtp_pass":"{W}"}'), ("json", '{"pin_code":"x","passcode":"{W}"}'), ("json", '{"otp_secret":"{S}"}'),
("json", "{'password': '{W}', 'user': 'bob'}"), ("json", '{"AccessKeyId":"x","SecretAccessKey":"{S40}","SessionToken":"{S}"}'), ("json", '{"password":["{W}"]}'),
("json", '{"password":12345678}'), ("json", '{"masterPassword" : "{W}"}'), ("json", '{"bearerToken":"{S}"}'), ("json", '{"machine_token":"{S}"}'),
("json", '{"auth":{"type":"basic","pass":"{W}"}}'), ("json", '{"proxy":{"auth":"bob:{W}"}}'), ("json", '{"apiSecretKey":"{S}"}'), ("json", '{"signing_secret":"{H}"}'),
# YAML
("yaml", 'password: {W}\n'), ("yaml", 'api_key: "{S}"\n'), ("yaml", "secret: '{W}'\n"), ("yaml", 'db_password: |\n  {W}\nnext: 1\n'), ("yaml", 'token: >-\n    {S}\n'),
("yaml", 'password:\n  value: {W}\n'), ("yaml", 'env:\n  - name: DB_PASSWORD\n    value: {W}\n'), ("yaml", 'env:\n  - name: API_TOKEN\n    value: "{S}"\n'),
("yaml", '- { name: API_TOKEN, value: {S} }\n'), ("yaml", 'stringData:\n  password: {W}\n'), ("yaml", 'kind: Secret\ndata:\n  db-pass: {B}\n'),
("yaml", 'users:\n- name: a\n  user:\n    client-key-data: {S}\n'), ("yaml", 'x:\n  token: {S}\n'), ("yaml", 'auth_token: !!str {S}\n'), ("yaml", 'password: &pw {W}\n'),
("yaml", '"api-token": {S}\n'), ("yaml", "'password' : {W}\n"), ("yaml", 'passwords:\n  - {W}\n  - {W2}\n'), ("yaml", 'basic_auth:\n  username: a\n  password: {W}\n'),
("yaml", 'private_key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  {P1}\n  -----END RSA PRIVATE KEY-----\n'), ("yaml", 'password: {W} # the old one\n'), ("yaml", 'POSTGRES_PASSWORD: {W}\n'),
# TOML, INI, properties
("ini", '[db]\npassword = {W}\n'), ("ini", '[default]\naws_secret_access_key = {S40}\n'), ("ini", 'secret_key={S}\n'), ("ini", 'spring.datasource.password={W}\n'),
("ini", 'spring.mail.password: {W}\n'), ("ini", 'mail.smtp.pass={W}\n'), ("ini", 'token = "{S}"\n'), ("ini", "api_key = '{S}'\n"), ("ini", 'password = """{W}"""\n'),
("ini", "password = '''\n{W}'''\n"), ("ini", '[registry]\ntoken="{S}"\n'), ("ini", 'registry = { token = "{S}" }\n'), ("ini", '[pypi]\nusername = __token__\npassword = {W}\n'),
("ini", '//packages.example.org/:_authToken={S}\n'), ("ini", '//r.example/:_password={B}\n'), ("ini", '_auth={B}\n'), ("ini", 'PASSWORD:{W}\n'), ("ini", 'oauth.consumerSecret={S}\n'),
("ini", 'npmAuthToken: "{S}"\n'), ("ini", 'PrivateKey = {K}\n'), ("ini", 'PresharedKey = {K}\n'), ("ini", 'wpa_passphrase={W}\n'), ("ini", 'psk="{W}"\n'), ("ini", 'requirepass {W}\n'),
("ini", 'masterauth {W}\n'), ("ini", 'rpcpassword={W}\n'), ("ini", '; password={W}\n'), ("ini", '#password={W}\n'), ("ini", 'user:bob\npass:{W}\n'),
# XML, HTML
("xml", '<password>{W}</password>'), ("xml", '<apiToken>\n  {S}\n</apiToken>'), ("xml", '<add key="ApiToken" value="{S}" />'), ("xml", "<property name='password' value='{W}'/>"),
("xml", '<property name="password">{W}</property>'), ("xml", '<entry key="db.password">{W}</entry>'), ("xml", '<user name="a" password="{W}"/>'),
("xml", '<server><id>x</id><password>{W}</password></server>'), ("xml", '<add name="x" connectionString="Server=a;Password={W};"/>'), ("xml", '<input type="password" name="password" value="{W}">'),
("xml", '<input type="hidden" name="csrf_token" value="{S}">'), ("xml", '<meta name="csrf-token" content="{S}">'), ("xml", '<setting name="ApiKey" serializeAs="String"><value>{S}</value></setting>'),
("xml", '<string name="api_key">{S}</string>'), ("xml", '<key>apiKey</key>\n<string>{S}</string>'), ("xml", '<ns:password xmlns:ns="x">{W}</ns:password>'),
("xml", '<password type="text">{W}</password>'), ("xml", '<password><![CDATA[{W}]]></password>'), ("xml", '<wsse:Password Type="x#PasswordText">{W}</wsse:Password>'),
# shell
("shell", 'export API_TOKEN={S}'), ("shell", "export DB_PASSWORD='{W}'"), ("shell", 'declare -x SECRET_KEY="{S}"'), ("shell", 'setenv API_TOKEN {S}'), ("shell", 'set -gx API_TOKEN {S}'),
("shell", 'set -x DB_PASSWORD {W}'), ("shell", '+ export API_TOKEN={S}'), ("shell", '++ API_TOKEN={S}'), ("shell", 'echo ${API_TOKEN:-{S}}'), ("shell", ': "${DB_PASSWORD:={W}}"'),
("shell", 'API_TOKEN=\\\n  {S} make'), ("shell", 'env API_TOKEN={S} make'), ("shell", 'API_TOKEN="{S}" ./run'), ("shell", 'read -r PASSWORD <<< "{W}"'),
("shell", 'set API_TOKEN={S}'), ("shell", 'setx API_TOKEN "{S}"'), ("shell", '$env:API_TOKEN = "{S}"'), ("shell", "$password = ConvertTo-SecureString '{W}' -AsPlainText -Force"),
("shell", '[Environment]::SetEnvironmentVariable("API_TOKEN", "{S}")'), ("shell", 'A=1\0API_TOKEN={S}\0B=2'), ("shell", 'declare -a x=([0]="API_TOKEN={S}")'), ("shell", 'readonly TOKEN={S};'),
("shell", 'local api_key="{S}"'), ("shell", 'typeset API_KEY={S}'), ("shell", 'printenv\nHOME=/root\nGITHUB_TOKEN={S}\n'), ("shell", "cat <<EOF\npassword={W}\nEOF"),
# command lines
("cmd", 'mysql -u root -p{W} db'), ("cmd", 'mysqldump -h h -uroot -p{W} --all-databases'), ("cmd", 'mysql --password={W}'), ("cmd", 'mysql --password {W} db'), ("cmd", 'sshpass -p {W} ssh h'),
("cmd", "sshpass -p'{W}' ssh h"), ("cmd", 'docker login -u bob -p {W} r.example'), ("cmd", 'podman login --username bob --password {W} r'), ("cmd", 'helm registry login h -u a -p {W}'),
("cmd", 'echo {W} | docker login -u bob --password-stdin'), ("cmd", 'echo {W} | sudo -S true'), ("cmd", "echo '{W}' | sudo -S -k id"), ("cmd", 'echo "bob:{W}" | chpasswd'),
("cmd", "printf '%s' {S} | gh auth login --with-token"), ("cmd", 'sudo -S id <<< {W}'), ("cmd", 'curl -u bob:{W} https://h/'), ("cmd", "curl --user 'bob:{W}' https://h/"), ("cmd", 'curl -ubob:{W} https://h'),
("cmd", "curl -b 'sid={S}' https://h/"), ("cmd", 'curl --cookie "sid={S}; a=b" https://h/'), ("cmd", "curl -H 'X-Api-Key: {S}' https://h/"), ("cmd", "curl --header 'Authorization: token {S}' https://h/"),
("cmd", 'curl --oauth2-bearer {S} https://h/'), ("cmd", 'curl -d password={W} https://h/'), ("cmd", "curl -d 'user=a&password={W}' https://h/"), ("cmd", "curl -F token={S} https://h/"),
("cmd", 'wget --password={W} https://h/'), ("cmd", 'wget --http-password {W} https://h/'), ("cmd", "wget --header='Authorization: Bearer {S}' https://h/"), ("cmd", 'http POST h/x Authorization:"Bearer {S}"'),
("cmd", 'http -a bob:{W} h/x'), ("cmd", 'aws configure set aws_secret_access_key {S40}'), ("cmd", 'aws configure set default.aws_session_token {S}'), ("cmd", 'gh secret set API_TOKEN --body {S}'),
("cmd", 'gh secret set API_TOKEN -b"{S}"'), ("cmd", 'kubectl create secret generic x --from-literal=password={W}'), ("cmd", 'helm install x --set auth.password={W} c'), ("cmd", 'docker run -e API_TOKEN={S} img'),
("cmd", 'docker run --env DB_PASSWORD={W} img'), ("cmd", 'npm config set //r/:_authToken {S}'), ("cmd", 'git config --global http.extraheader "AUTHORIZATION: basic {B}"'), ("cmd", 'git clone https://bob:{W}@h/r.git'),
("cmd", 'git clone https://oauth2:{S}@gitlab.example/r.git'), ("cmd", 'heroku config:set API_TOKEN={S}'), ("cmd", 'vault kv put secret/x password={W}'), ("cmd", 'vault login {S}'),
("cmd", 'az login --service-principal -u x -p {S} --tenant y'), ("cmd", 'az keyvault secret set --vault-name v --name n --value {S}'), ("cmd", 'openssl enc -aes-256-cbc -k {W} -in a'),
("cmd", 'openssl rsa -passin pass:{W} -in k'), ("cmd", 'openssl pkcs12 -export -passout pass:{W} -out x'), ("cmd", 'gpg --batch --passphrase {W} -d x'), ("cmd", 'ldapsearch -D cn=a -w {W} -b dc=x'),
("cmd", 'redis-cli -h h -a {W} ping'), ("cmd", 'mongosh -u a -p {W} h'), ("cmd", 'mongo --username a --password {W}'), ("cmd", 'PGPASSWORD={W} psql -h h'), ("cmd", 'psql "host=h password={W} user=a"'),
("cmd", 'sqlcmd -S h -U sa -P {W}'), ("cmd", '7z x -p{W} a.7z'), ("cmd", 'unzip -P {W} a.zip'), ("cmd", 'zip -P {W} a.zip b'), ("cmd", 'htpasswd -b -c f bob {W}'), ("cmd", 'smbclient //h/s -U bob%{W}'),
("cmd", 'net use Z: \\\\h\\s /user:bob {W}'), ("cmd", 'xfreerdp /u:bob /p:{W} /v:h'), ("cmd", 'twine upload -u __token__ -p {S} d/*'), ("cmd", 'skopeo copy --src-creds bob:{W} a b'), ("cmd", 'rclone --drive-token {S} ls'),
("cmd", 'snyk auth {U}'), ("cmd", 'prog --api-key {S} --x'), ("cmd", 'prog --api-key={S}'), ("cmd", 'prog --token "{S}"'), ("cmd", 'prog -token={S}'), ("cmd", 'prog /token:{S}'), ("cmd", 'prog --secret={W} run'),
("cmd", 'cargo login {S}'), ("cmd", 'terraform apply -var db_password={W}'), ("cmd", "terraform apply -var='api_token={S}'"), ("cmd", 'ansible-playbook p.yml -e "ansible_become_pass={W}"'),
("cmd", 'java -Djavax.net.ssl.keyStorePassword={W} -jar x'), ("cmd", 'java -Ddb.password={W} -jar x'), ("cmd", 'keytool -storepass {W} -list'), ("cmd", 'jarsigner -keypass {W} x'), ("cmd", 'useradd -p {C} bob'),
("cmd", 'ssh-keygen -t rsa -N {W} -f k'), ("cmd", 'openvpn --auth-user-pass x'), ("cmd", 'wscat -c wss://h -H "Authorization: Bearer {S}"'), ("cmd", 'pscp -pw {W} a h:b'), ("cmd", 'plink -ssh h -l bob -pw {W}'),
# what programs say
("code", "define('DB_PASSWORD', '{W}');"), ("code", 'System.setProperty("DB_PASSWORD", "{S}")'), ("code", 'os.environ["SERVICE_TOKEN"] = "{S}"'), ("code", "os.environ.setdefault('API_KEY', '{S}')"),
("code", 'os.Setenv("API_KEY", "{S}")'), ("code", 'process.env.API_KEY = "{S}"'), ("code", "process.env['API_KEY']='{S}';"), ("code", "ENV['API_TOKEN'] = '{S}'"), ("code", 'putenv("API_TOKEN={S}");'),
("code", 'connect(host="h", password="{W}")'), ("code", "client = Client(api_key='{S}', timeout=3)"), ("code", 'login("bob", "{S}")'), ("code", 'requests.get(u, auth=("bob", "{W}"))'),
("code", "HTTPBasicAuth('bob', '{W}')"), ("code", 'new NetworkCredential("bob", "{W}")'), ("code", 'const apiKey = "{S}";'), ("code", "let password: string = '{W}';"), ("code", 'private static final String SECRET = "{S}";'),
("code", 'var apiToken = `{S}`;'), ("code", 'apiKey: "{S}",'), ("code", "password => '{W}',"), ("code", ":password => '{W}'"), ("code", "'password' => '{W}',"), ("code", "$apiToken .= '{S}';"), ("code", "$config['db_password'] = '{W}';"),
("code", '$mail->Password = "{W}";'), ("code", 'API_TOKEN ?= {S}'), ("code", 'API_TOKEN := {S}'), ("code", "API_KEY ||= '{S}'"), ("code", 'api_key := "{S}"'), ("code", 'static const char *password = "{W}";'),
("code", '#define API_KEY "{S}"'), ("code", '#define WIFI_PASSWORD "{W}"'), ("code", 'char api_key[] = "{S}";'), ("code", 'let token: &str = "{S}";'), ("code", '.with_api_key("{S}")'), ("code", '.setPassword("{S}")'),
("code", 'client.apiKey("{S}").build()'), ("code", 'headers.set("Authorization", "Bearer {S}")'), ("code", "headers['X-Api-Key'] = '{S}'"), ("code", 'req.Header.Add("X-Auth-Token", "{S}")'),
("code", "axios.defaults.headers.common['Authorization'] = 'Bearer {S}'"), ("code", 'apiToken = "{S}";'), ("code", 'password = r"{W}"'), ("code", 'password="{W}" if x else None'), ("code", 'variable "db_password" { default = "{W}" }'),
("code", 'variable "db_password" {\n  type = string\n  default = "{W}"\n}'), ("code", 'db_password = "{W}"'), ("code", 'mutation{login(password:"{W}"){token}}'), ("code", '(setq api-key "{S}")'), ("code", 'passwordField.setText("{S}")'),
("code", 'password := os.Getenv("X", "{S}")'), ("code", 'secretKey = Some("{S}")'), ("code", 'token = "{S}" + suffix'), ("code", 'if password == "{W}":'), ("code", 'password.equals("{S}")'),
# connection strings, files of passwords
("conn", 'postgres://bob:{W}@h/db'), ("conn", 'redis://:{S}@h:6379/0'), ("conn", 'mongodb+srv://bob:{S}@h/db'), ("conn", 'amqps://u:{W}@h//'), ("conn", 'Server=h;Database=d;User Id=sa;Password={W};'),
("conn", 'Data Source=h;uid=a;pwd={W}'), ("conn", 'Driver={x};Server=h;Uid=a;Pwd={W};'), ("conn", 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey={S};EndpointSuffix=x'), ("conn", 'Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey={S}='),
("conn", 'host=h user=bob password={W} dbname=d'), ("conn", 'jdbc:mysql://h/d?user=a&password={W}'), ("conn", 'jdbc:oracle:thin:scott/{W}@h:1521:x'), ("conn", 'jdbc:sqlserver://h;user=a;password={W};'), ("conn", 'sftp://bob:{W}@h/x'),
("conn", 'https://{S}@sentry.example/1'), ("conn", 'smtp://a%40b.c:{W}@h:587'), ("conn", 'db.example:5432:app:bob:{W}'), ("conn", '*:*:*:bob:{W}'), ("conn", 'machine h.example login bob password {W}'),
("conn", 'machine h.example\n  login bob\n  password {W}\n'), ("conn", 'default login a password {W}'), ("conn", 'otpauth://totp/x?secret={U32}&issuer=y'), ("conn", 'h\tTRUE\t/\tTRUE\t1790000000\tsid\t{S}'), ("conn", 'bob:{C}:19000:0:99999:7:::'),
("conn", 'bob@h\'s password: {W}\n'), ("conn", 'Password: {W}\n'), ("conn", 'Enter password: {W}\n'), ("conn", 'token: {S}\n'),
# SQL
("sql", "CREATE USER bob IDENTIFIED BY '{W}'"), ("sql", "ALTER USER 'bob'@'%' IDENTIFIED BY '{W}';"), ("sql", "ALTER ROLE bob WITH PASSWORD '{W}'"), ("sql", "CREATE ROLE bob LOGIN ENCRYPTED PASSWORD '{W}'"), ("sql", "SET PASSWORD FOR 'bob' = '{W}'"),
("sql", "SET PASSWORD = PASSWORD('{W}')"), ("sql", 'CREATE LOGIN bob WITH PASSWORD = N\'{W}\''), ("sql", 'create user bob identified by {W};'), ("sql", "IDENTIFIED WITH mysql_native_password BY '{W}'"), ("sql", "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET '{S}')"),
("sql", "INSERT INTO config (name, value) VALUES ('api_token', '{S}')"), ("sql", "UPDATE users SET password='{W}' WHERE id=1"), ("sql", "grant all on x.* to a@b identified by '{W}'"), ("sql", "CREDENTIALS=(AWS_KEY_ID='x' AWS_SECRET_KEY='{S}')"),
# URLs
("url", 'https://h/cb#access_token={S}&x=1'), ("url", 'https://h/x?api_key={S}'), ("url", 'https://h/x?token={S}&a=1'), ("url", 'https://h/reset/{S}'), ("url", 'https://h/password/reset/{S}?email=x'), ("url", 'https://h/x?key={S39}'),
("url", 'https://h/x?X-Amz-Signature={H64}&x=1'), ("url", 'https://a.blob.core.windows.net/c?sv=2022&sig={S}%3D'), ("url", 'wss://h/ws?access_token={S}'), ("url", 'https://h/cb?code={S}&state=x'), ("url", 'https://h/x?auth={S}'),
("url", 'https://h/x?password={W}'), ("url", 'https://h/invite/{S}'), ("url", 'u=https%3A%2F%2Fh%2F%3Ftoken%3D{S}'), ("url", 'authorization%3A%20Bearer%20{S}'), ("url", 'API_TOKEN%3D{S}'),
# what a terminal shows
("tty", '\x1b[32mAPI_TOKEN\x1b[0m=\x1b[33m{S}\x1b[0m'), ("tty", '\x1b[1mpassword\x1b[0m: {W}\n'), ("tty", '"\x1b[34mtoken\x1b[0m": \x1b[32m"{S}"\x1b[0m'), ("tty", '\x1b[38;5;12mtoken\x1b[0m=\x1b[38;5;2m{S}\x1b[39m'), ("tty", '| API_TOKEN | {S} |'),
("tty", '+  api_token: {S}\n-  api_token: old\n'), ("tty", 'bob 12 0.0 prog --api-key {S} --x'), ("tty", '< Set-Cookie: sid={S}; Path=/'), ("tty", '> Authorization: Basic {B}'), ("tty", '> X-Api-Key: {S}\n'), ("tty", 'API_TOKEN    {S}\n'),
("tty", 'Your API key: {S}\n'), ("tty", 'Token: {S}\n'), ("tty", 'Generated password: {W}\n'), ("tty", '12: password = {W}\n'), ("tty", '    12\tAPI_KEY={S}\n'), ("tty", '12:+API_KEY={S}\n'), ("tty", 'config.py:12:API_KEY = "{S}"\n'),
# armour
("armour", '-----BEGIN OPENSSH PRIVATE KEY-----\n{P}\n-----END OPENSSH PRIVATE KEY-----'), ("armour", '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{P}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----'), ("armour", '---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: "x"\n{P}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----'),
("armour", 'PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 2\n{P}\nPrivate-MAC: {H40}\n'), ("armour", '-----BEGIN ENCRYPTED PRIVATE KEY-----\n{P}\n-----END ENCRYPTED PRIVATE KEY-----'), ("armour", 'key = """-----BEGIN EC PRIVATE KEY-----\n{P}\n-----END EC PRIVATE KEY-----"""'),
("armour", '<RSAKeyValue><Modulus>x</Modulus><D>{P}</D></RSAKeyValue>'), ("armour", 'untrusted comment: minisign encrypted secret key\n{M}\n'), ("armour", '-----BEGIN OpenVPN Static key V1-----\n{X}\n-----END OpenVPN Static key V1-----'),
# prose
("prose", 'my password is {S}'), ("prose", 'The token is: {S}'), ("prose", 'use the API key {S} for that'), ("prose", 'here is the key: {S}'),
("prose", 'the password for bob is {S}'), ("prose", 'I set the password to {S} now'), ("prose", 'The new password will be "{S}".'),
("prose", 'Password must be changed, it was {S}'), ("prose", 'set ANTHROPIC_API_KEY to {S}'), ("prose", 'api key {S}'), ("prose", 'API secret - {S}'),
("prose", 'the credentials are bob / {S}'), ("prose", 'Das Passwort ist {S}'), ("prose", 'mot de passe : {S}'), ("prose", 'contraseña: {S}'),
("prose", 'пароль: {S}'), ("prose", '密码：{S}'), ("prose", 'パスワードは {S}'), ("prose", '- **Password**: {S}'), ("prose", 'your access token was reset to {S}.'),
]

rnd = random.Random(3)
ALNUM, LOWER, UPPER = string.ascii_letters + string.digits, string.ascii_lowercase + string.digits, string.ascii_uppercase + string.digits
CLASSES = {
    "a": ALNUM, "l": LOWER, "u": UPPER, "h": "0123456789abcdef", "H": "0123456789ABCDEF", "d": string.digits, "e": "123456789", "w": ALNUM + "-_", "b": ALNUM + "+/",
    "L": string.ascii_letters, "U": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "B": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", "z": "=",
}
# What people choose: all of them have digits or marks, or no program could tell them from words.
CHOSEN = ["hunter2", "Tr0ub4dor&3", "p@ssw0rd!", "S3cr3t-Pa55", "letmein1234", "xK9#mQ2$vL", "correct-horse-42", "Sommer2024!", "q1w2e3r4t5", "Welc0me_2026"]


def some(n, kind="a"):
    return "".join(rnd.choice(CLASSES[kind]) for _ in range(n))


def uuid():
    return "-".join(some(n, "h") for n in (8, 4, 4, 4, 12))


def b64url(obj):
    return base64.urlsafe_b64encode(json.dumps(obj).encode()).decode().rstrip("=")


def fill(template):
    def one(m):
        kind = m.group(1)
        if kind == "u4":
            return uuid()
        if kind == "J":
            return "%s.%s.%s" % (b64url({"alg": "HS256"}), b64url({"sub": some(12)}), some(43, "w"))
        return some(int(kind[:-1]), kind[-1])
    return re.sub(r"\{(u4|J|\d+[a-zA-Z])\}", one, template)


FORMS = [line.split(None, 1) for line in TEMPLATES.strip().split("\n")]
SECRETS = {
    "S": lambda: some(28), "W": lambda: rnd.choice(CHOSEN), "U": uuid, "H": lambda: some(32, "h"), "K": lambda: some(43, "b") + "=",
    "B": lambda: base64.b64encode(("bob:" + some(18)).encode()).decode(), "P": lambda: "\n".join(some(64, "b") for _ in range(3)), "P1": lambda: some(64, "b"),
    "C": lambda: "$6$" + some(16) + "$" + some(86), "M": lambda: some(180, "b"), "X": lambda: "\n".join(some(32, "h") for _ in range(8)),
    "S43": lambda: some(43, "w"), "S40": lambda: some(40, "b"), "S39": lambda: "AIza" + some(35, "w"), "H64": lambda: some(64, "h"), "U32": lambda: some(32, "U"),
}


def place(template):
    """A text, and the credentials in it."""
    found = []

    def one(m):
        name = {"S2": "S", "W2": "W"}.get(m.group(1), m.group(1))
        if name == "H40":	# a checksum
            return some(40, "h")
        if name not in SECRETS:
            return m.group(0)
        found.append(SECRETS[name]())
        return found[-1]
    text = re.sub(r"\{([A-Z]+\d*)\}", one, template)
    return text, found or ["12345678"]
