import assert from "node:assert/strict";
import test from "node:test";
import { createRedactor } from "#core/home/redact";
import { isSecretName } from "#core/secret-names";
import { filterEnvironment } from "#sandbox/process/environment";

const SECRET = [
  "OPENAI_API_KEY",
  "my_token",
  "A_SECRET",
  "DB_PASSWORD_FILE",
  "PGPASSWORD",
  "KEY",
  "TOKEN",
  "SECRET",
  "APIKEY",
  "OPENAI_APIKEY",
  "OPENAI_API_KEYS",
  "GITHUBTOKEN",
  "DB_PASS",
  "PASS",
  "MYSQL_PWD",
  "GITHUB_PAT",
  "DATABASE_URL",
  "HERMES_DATABASE_URL",
  "REDIS_URI",
  "SENTRY_DSN",
  "SLACK_WEBHOOK_URL",
  "GPG_PASSPHRASE",
  "apiKey",
  "X-Api-Key",
  "clientSecret",
  "set-cookie",
  "Authorization",
  "AWS_CREDENTIALS",
];
const PLAIN = [
  "PATH",
  "PWD",
  "OLDPWD",
  "HOME",
  "KEYBOARD",
  "TOKENS",
  "MAX_TOKENS",
  "MONKEY",
  "SSH_AUTH_SOCK",
  "CLASSPATH",
  "BYPASS",
  "COMPASS",
  "NODE_PATH",
  "BASE_URL",
  "OPENAI_BASE_URL",
  "DATABASE_NAME",
  "hotkey",
  "passed",
];

test("secret names are distinguished from others", () => {
  assert.deepEqual(
    SECRET.filter((name) => !isSecretName(name)),
    [],
  );
  assert.deepEqual(PLAIN.filter(isSecretName), []);
});

test("what is kept from children is also masked in text, and nothing else is", () => {
  const env = Object.fromEntries([...SECRET, ...PLAIN].map((name) => [name, `value-of-${name}.`]));
  assert.deepEqual(Object.keys(filterEnvironment(env, [])), PLAIN);
  const redact = createRedactor(env);
  for (const name of SECRET) assert.ok(redact(`it says ${env[name]}`).includes("[redacted]"), name);
  for (const name of PLAIN) assert.equal(redact(`it says ${env[name]}`), `it says ${env[name]}`);
});

test("an assignment to such a name loses its value in a command line", () => {
  const redact = createRedactor({});
  for (const name of ["DB_PASS", "GITHUB_PAT", "DATABASE_URL", "TOKEN", "APIKEY", "MY_TOKEN", "PGPASSWORD"]) {
    assert.equal(redact(`env ${name}=hunter2 run`), `env ${name}=[redacted] run`);
  }
  for (const text of ["PWD=/work ls", "what? token=1 is a number", "if key=a then", "MAX_TOKENS=5000"]) {
    assert.equal(redact(text), text);
  }
});
