/** The `webhooks` section: what it takes, what it refuses, and what endpoints it makes. */
import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import { configuredEndpoints, endpointsOf } from "#daemon/webhooks/endpoints";

const read = (yaml: string, env: NodeJS.ProcessEnv = {}) => parseConfig(yaml, "config.yaml", env);
const endpoints = async (yaml: string) => endpointsOf((await read(yaml)).values.webhooks);
const one = (rest: string) => `webhooks: { endpoints: { task_completed: { url: "https://a.example", ${rest} } } }`;

test("an endpoint has its own settings, the common ones, or the defaults", async () => {
  const [first, second, third] = await endpoints(`
webhooks:
  auth: { type: bearer, token: common }
  retry: { max_attempts: 9 }
  endpoints:
    task_completed:
      - url: https://a.example
      - { url: https://b.example, auth: none, retry: { backoff: fixed }, timeout: 3, method: PUT, name: mine }
    "agent:*": { url: http://c.example, auth: { type: hmac, secrets: [new, old] } }
`);
  assert.deepEqual(first, {
    name: "task_completed",
    event: "task_completed",
    url: "https://a.example",
    method: "POST",
    headers: {},
    transform: undefined,
    auth: { type: "header", header: "Authorization", value: "Bearer common" },
    authType: "bearer",
    retry: { enabled: true, max_attempts: 9, backoff: "exponential", initial_delay: 1000 },
    timeoutSeconds: 15,
    matcher: null,
    allowPrivate: false,
    path: ["webhooks", "endpoints", "task_completed", 0],
  });
  assert.deepEqual(
    [second!.name, second!.auth.type, second!.method, second!.timeoutSeconds],
    ["mine", "none", "PUT", 3],
  );
  assert.deepEqual(second!.retry, { enabled: true, max_attempts: 3, backoff: "fixed", initial_delay: 1000 });
  assert.deepEqual(third!.auth, { type: "hmac", header: "X-Hermes-Signature", secrets: ["new", "old"] });
});

test("basic takes a name and a password, or both as one token", async () => {
  for (const keys of ["username: u, password: p", 'token: "u:p"']) {
    const [endpoint] = await endpoints(one(`auth: { type: basic, ${keys} }`));
    assert.deepEqual(endpoint!.auth, { type: "header", header: "Authorization", value: "Basic dTpw" });
  }
});

test("switched off, there are no endpoints to send to, but they are still listed", async () => {
  const { values } = await read(
    'webhooks: { enabled: false, endpoints: { "agent:end": { url: "http://a.example" } } }',
  );
  assert.deepEqual(endpointsOf(values.webhooks), []);
  assert.equal(configuredEndpoints(values.webhooks!).length, 1);
});

test("an event that there is not is a warning with the likely one, and gets nothing", async () => {
  const config = await read('webhooks: { endpoints: { task_complete: { url: "http://a.example" } } }');
  assert.match(
    config.warnings.join("\n"),
    /unknown key "webhooks\.endpoints\.task_complete", ignored\. Did you mean "task_completed"\?/,
  );
  assert.deepEqual(endpointsOf(config.values.webhooks), []);
});

const REFUSED: Readonly<Record<string, RegExp>> = {
  "auth: { type: bearer }": /type bearer needs a token/,
  "auth: { type: basic, token: alone }": /type basic needs username and password/,
  "auth: { type: header, token: t }": /type header needs a header and a token/,
  "auth: { type: hmac }": /type hmac needs a secret or secrets/,
  "timeout: 61": /expected at most 60/,
  "timeout: 0": /expected at least 1/,
  "method: GET": /expected one of POST, PUT, PATCH/,
  "retry: { max_attempts: 0 }": /expected at least 1/,
  'headers: { "a b": c }': /name of a header/,
};

for (const [rest, expected] of Object.entries(REFUSED)) {
  test(`refused: ${rest}`, async () => {
    await assert.rejects(
      read(`webhooks: { endpoints: { task_completed: [{ url: "https://a.example", ${rest} }] } }`),
      expected,
    );
  });
}

test("refused: no URL, another scheme, two endpoints of one name", async () => {
  const at = (endpoint: string) => `webhooks: { endpoints: { task_completed: ${endpoint} } }`;
  await assert.rejects(read(at('[{ url: "ftp://a.example" }]')), /expected an http or https URL/);
  await assert.rejects(read(at("[{ method: POST }]")), /required, but missing/);
  await assert.rejects(
    read(at('[{ url: "http://a.example" }, { url: "http://a.example", name: task_completed }]')),
    /two endpoints are named "task_completed"/,
  );
});

test("an unset variable stops what delivers, and nothing else", async () => {
  const config = await read(one('auth: { type: bearer, token: "${UNSET}" }'));
  for (const surface of ["cli", "gateway", "webhooks"] as const) {
    assert.throws(() => demandFor(surface, config), /UNSET is not set/, surface);
  }
  demandFor("dashboard", config);
});
