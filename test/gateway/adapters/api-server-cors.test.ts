/** `api_server` and web pages: the origins in `cors_origins`, their preflight requests, and everybody else's. */
import test from "node:test";
import assert from "node:assert/strict";
import { createApiServer } from "#gateway/adapters/api-server/adapter";
import { noteLog, TestInbox } from "../../helpers/inbox.ts";
import { services, startBench } from "./api-server-bench.ts";

const PAGE = "https://app.example.com";
const KEY = "the-key-of-this-test";

/** What a browser sends before the request of a page. */
function preflight(url: string, origin: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,x-hermes-session-id,x-stainless-os",
      ...headers,
    },
  });
}

for (const key of ["", KEY]) {
  test(`a listed page may ask, and reads answers and errors: ${key === "" ? "without" : "with"} a key`, async (t) => {
    const { url, ask } = await startBench(t, { cors_origins: [PAGE, "http://localhost:5173"], key });
    const authorization: Record<string, string> = key === "" ? {} : { authorization: `Bearer ${key}` };
    const asked = await preflight(url, PAGE, { "access-control-request-private-network": "true" });
    assert.deepEqual([asked.status, await asked.text()], [204, ""]);
    assert.deepEqual(
      ["origin", "methods", "headers", "private-network", "max-age", "credentials"].map((name) =>
        asked.headers.get(name === "max-age" ? "access-control-max-age" : `access-control-allow-${name}`),
      ),
      [
        PAGE,
        "GET, POST, OPTIONS",
        "authorization,content-type,x-hermes-session-id,x-stainless-os",
        "true",
        "600",
        null,
      ],
    );
    assert.match(asked.headers.get("vary") ?? "", /\bOrigin\b/);
    const headers = { origin: PAGE, ...authorization };
    const answers = [
      await ask({}, headers),
      await ask({ stream: true }, headers),
      await ask({ messages: [] }, headers),
      await fetch(`${url}/nothing`, { headers }),
      await fetch(`${url}/health`, { headers }),
      ...(key === "" ? [] : [await ask({}, { origin: PAGE })]),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 400, 404, 200, ...(key === "" ? [] : [401])],
    );
    for (const answer of answers) {
      assert.equal(answer.headers.get("access-control-allow-origin"), PAGE);
      assert.match(answer.headers.get("access-control-expose-headers") ?? "", /X-Hermes-Session-Id/);
      await answer.text();
    }
  });
}

test("other pages get no such headers, and nothing without a key", async (t) => {
  const { url, ask, inbox } = await startBench(t, { cors_origins: [PAGE] });
  for (const origin of [
    "https://evil.example",
    `${PAGE}.evil.example`,
    "null",
    "http://app.example.com",
    `${PAGE}:8443`,
  ]) {
    const asked = await preflight(url, origin);
    const answer = await ask({}, { origin });
    assert.deepEqual([asked.status, answer.status], [403, 403], origin);
    for (const response of [asked, answer]) {
      assert.equal(response.headers.get("access-control-allow-origin"), null);
      const { error } = (await response.json()) as { error: { message: string } };
      assert.match(error.message, /cors_origins/);
    }
  }
  assert.equal(inbox.received.length, 0);
});

test("without cors_origins no page is allowed, with a key or without", async (t) => {
  for (const key of ["", KEY]) {
    const { url } = await startBench(t, { key });
    const asked = await preflight(url, PAGE);
    assert.deepEqual([asked.status, asked.headers.get("access-control-allow-origin")], [403, null]);
  }
});

test("an OPTIONS request that is no preflight needs the key", async (t) => {
  const { url } = await startBench(t, { cors_origins: [PAGE], key: KEY });
  const response = await fetch(`${url}/v1/models`, { method: "OPTIONS", headers: { origin: PAGE } });
  assert.equal(response.status, 401);
});

test("every page, which needs a key", async (t) => {
  const { url, ask } = await startBench(t, { cors_origins: ["*"], key: KEY });
  assert.equal((await preflight(url, "https://any.example")).headers.get("access-control-allow-origin"), "*");
  const answer = await ask({}, { origin: "https://any.example", authorization: `Bearer ${KEY}` });
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
});

for (const [origins, message] of [
  [["*"], /cors_origins: \["\*"\] lets every web page use the agent, so a key is required/],
  [[PAGE, `${PAGE}/`], /"https:\/\/app\.example\.com\/" in cors_origins is not an origin/],
  [["app.example.com"], /"app\.example\.com" in cors_origins is not an origin/],
  [["null"], /"null" in cors_origins is not an origin/],
] as const) {
  test(`it doesn't start with cors_origins: ${JSON.stringify(origins)}`, async () => {
    const server = createApiServer({ ...services(), port: 0, cors_origins: origins, log: noteLog().log });
    await assert.rejects(server.start(new TestInbox()), { code: "HERMES_ADAPTER_CONFIG", message });
  });
}

test("pages of apps have origins, too", async (t) => {
  const { url } = await startBench(t, { cors_origins: ["app://obsidian.md", "capacitor://localhost"] });
  assert.equal((await preflight(url, "app://obsidian.md")).status, 204);
});
