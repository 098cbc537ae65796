/** Names of variables and keys whose values are secrets (CONTRACT §6), for redaction and child environments. */

/** The last word of a secret's name: `API_KEY`, `TOKEN`, `GITHUB_PAT`, `session-secret`. */
const LAST_WORDS = [
  "key",
  "token",
  "secrets?",
  "pass",
  "passwd",
  "passphrase",
  "passcode",
  "pat",
  "credentials?",
  "authorization",
  "cookie",
  "dsn",
  "connection_string",
  "webhook_url",
  // Database URLs contain the password.
  "(?:database|db|redis|mongo|mongodb|postgres|postgresql|pg|mysql|amqp|rabbitmq|broker)_ur[il]",
];
const SECRET_NAME = new RegExp(
  // `PWD` alone is the working directory.
  String.raw`(?:^|_)(?:${LAST_WORDS.join("|")})$|[^_]_pwd$|api_?keys?$|[a-z](?:token|secret)$|password`,
  "i",
);

/** True for the name of a secret variable or key, in any case; `apiKey` and `X-Api-Key` are read as `api_key`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.replaceAll(/([a-z\d])([A-Z])/g, "$1_$2").replaceAll("-", "_"));
}
