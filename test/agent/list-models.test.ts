import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { listModels } from "#agent/models/list-models";
import { freePort } from "../helpers/ports.ts";

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

test("each provider gets the key in its own header, and a server without a key none", async (t) => {
  const seen: IncomingHttpHeaders[] = [];
  const baseUrl = await serve(t, (request, response) => {
    seen.push(request.headers);
    response.end('{"data":[{"id":"one"},{"id":"two"}]}');
  });
  for (const provider of ["openai", "anthropic"] as const) {
    const list = await listModels({ provider, baseUrl, apiKey: "the-key" });
    assert.deepEqual(list, { kind: "listed", ids: ["one", "two"] });
  }
  await listModels({ provider: "openai-compatible", baseUrl, apiKey: undefined });
  assert.deepEqual(
    seen.map((headers) => [headers.authorization, headers["x-api-key"], headers["anthropic-version"]]),
    [
      ["Bearer the-key", undefined, undefined],
      [undefined, "the-key", "2023-06-01"],
      [undefined, undefined, undefined],
    ],
  );
});

test("ids that a terminal or config.yaml could not take are left out", async (t) => {
  const data = [
    { id: "fine/one:1" },
    { id: "two words" },
    { id: "\u001B[31mred" },
    { id: "" },
    { id: 7 },
    null,
    "text",
  ];
  const baseUrl = await serve(t, (_request, response) => response.end(JSON.stringify({ data })));
  const list = await listModels({ provider: "openai", baseUrl, apiKey: undefined });
  assert.deepEqual(list, { kind: "listed", ids: ["fine/one:1"] });
});

test("what is no list, a refused key and a server that is not there are told apart, without the key", async (t) => {
  const answers: readonly [number, string, "refused" | "unlisted", RegExp][] = [
    [401, '{"error":{"message":"bad key: the-secret-key"}}', "refused", /^status 401: bad key: \[redacted\]$/],
    [403, "<html>no</html>", "refused", /^status 403: <html>no<\/html>$/],
    [404, '{"error":"no such page"}', "unlisted", /^status 404: no such page$/],
    [200, "<html>hello</html>", "unlisted", /no list of models/],
    [200, "[]", "unlisted", /no list of models/],
  ];
  for (const [status, body, kind, problem] of answers) {
    const baseUrl = await serve(t, (_request, response) => response.writeHead(status).end(body));
    const list = await listModels({ provider: "openai", baseUrl, apiKey: "the-secret-key" });
    assert.ok(list.kind === kind && problem.test(list.problem), JSON.stringify(list));
  }
  const baseUrl = `http://127.0.0.1:${await freePort()}/v1`;
  const gone = await listModels({ provider: "openai", baseUrl, apiKey: "the-secret-key" });
  assert.ok(gone.kind === "unreachable" && gone.problem.includes("ECONNREFUSED"), JSON.stringify(gone));
});

test("an endless answer is not read to its end", async (t) => {
  const baseUrl = await serve(t, (_request, response) => {
    const more = () => {
      while (response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  });
  const list = await listModels({ provider: "openai", baseUrl, apiKey: undefined });
  assert.deepEqual(list, { kind: "unlisted", problem: "the answer is too long" });
});
