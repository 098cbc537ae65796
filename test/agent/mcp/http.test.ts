/** Servers that are reached over HTTP: both protocols, and what goes wrong there. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import test, { type TestContext } from "node:test";
import { startMcp } from "../../helpers/mcp.ts";
import { until } from "../../helpers/poll.ts";

interface Message {
  readonly id?: number;
  readonly method: string;
  readonly params?: {
    readonly protocolVersion?: string;
    readonly name?: string;
    readonly arguments?: { text?: string };
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly message: Message;
}

/** The answer to a message; undefined for a notification. */
function answerTo({ id, method, params }: Message): object | undefined {
  if (id === undefined) return undefined;
  const results: Readonly<Record<string, object>> = {
    initialize: {
      protocolVersion: params?.protocolVersion ?? "",
      capabilities: { tools: {} },
      serverInfo: { name: "far", version: "1" },
    },
    "tools/list": { tools: ["echo", "never", "big"].map((name) => ({ name, inputSchema: { type: "object" } })) },
    "tools/call": { content: [{ type: "text", text: `said ${params?.arguments?.text}` }] },
  };
  return { jsonrpc: "2.0", id, result: results[method] ?? {} };
}

function json({ response, message }: Exchange, headers: Readonly<Record<string, string>> = {}): void {
  const answer = answerTo(message);
  response.writeHead(answer === undefined ? 202 : 200, { "content-type": "application/json", ...headers });
  response.end(answer === undefined ? undefined : JSON.stringify(answer));
}

/** Serves each message to `handle`; other requests than POST are 405 unless `get` takes them. */
async function serve(
  t: TestContext,
  handle: (exchange: Exchange) => void,
  get: (exchange: Omit<Exchange, "message">) => void = ({ response }) => void response.writeHead(405).end(),
): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method !== "POST") return get({ request, response });
    void readText(request).then((body) => handle({ request, response, message: JSON.parse(body) as Message }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

test("streamable HTTP: headers go along, answers come as JSON or as a stream, a session is ended", async (t) => {
  const seen: string[] = [];
  const url = await serve(
    t,
    (exchange) => {
      const { request, response, message } = exchange;
      seen.push(`${message.method} ${request.headers.authorization} ${String(request.headers["mcp-session-id"])}`);
      if (message.method !== "tools/call") return json(exchange, { "mcp-session-id": "s1" });
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`event: message\ndata: ${JSON.stringify(answerTo(message))}\n\n`);
    },
    ({ request, response }) => {
      seen.push(`${request.method} ${String(request.headers["mcp-session-id"])}`);
      response.writeHead(request.method === "DELETE" ? 200 : 405).end();
    },
  );
  const { call, servers, warnings } = await startMcp(t, { far: { url, headers: { Authorization: "Bearer x" } } });
  assert.deepEqual(await call("mcp_far_echo", { text: "hi" }), { result: "said hi" });
  await servers[Symbol.asyncDispose]();
  assert.equal(seen[0], "initialize Bearer x undefined");
  assert.ok(seen.includes("tools/call Bearer x s1") && seen.includes("DELETE s1"), seen.join("\n"));
  assert.deepEqual(warnings, []);
});

test("a server of the older protocol is reached by its stream of events", async (t) => {
  let stream: ServerResponse | undefined;
  const url = await serve(
    t,
    ({ request, response, message }) => {
      if (request.url === "/mcp") return void response.writeHead(405).end();
      response.writeHead(202).end();
      const answer = answerTo(message);
      if (answer !== undefined) stream?.write(`event: message\ndata: ${JSON.stringify(answer)}\n\n`);
    },
    ({ response }) => {
      stream = response;
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: endpoint\ndata: /messages?id=1\n\n");
    },
  );
  const { call } = await startMcp(t, { old: { url } });
  assert.deepEqual(await call("mcp_old_echo", { text: "hi" }), { result: "said hi" });
});

test("what is wrong with an address is said with what to do, and without its secrets", async (t) => {
  const status = (code: number) => serve(t, ({ response }) => void response.writeHead(code).end("hunter2hunter2"));
  const page = await serve(
    t,
    ({ response }) => void response.writeHead(200, { "content-type": "text/html" }).end("hi"),
  );
  const mute = await serve(t, () => undefined);
  const far = await serve(t, ({ response }) => void response.writeHead(302, { location: "http://x.example/" }).end());
  const { warnings, names } = await startMcp(t, {
    stranger: { url: await status(401), headers: { Authorization: "Bearer wrong" } },
    wrong: { url: await status(404) },
    broken: { url: await status(500) },
    page: { url: page },
    mute: { url: mute, connect_timeout: 0.3 },
    moved: { url: far },
    nobody: { url: "http://127.0.0.1:59999/mcp" },
  });
  const said = warnings.join("\n");
  assert.match(
    said,
    /"stranger" did not start: it refused the request with status 401\. Set a valid token in mcp_servers\.stranger\.headers/,
  );
  assert.match(said, /"wrong" did not start: it answered with status 404\. Check mcp_servers\.wrong\.url/);
  assert.match(said, /"broken" did not start: it answered with status 500/);
  assert.match(said, /"page" did not start: .*text\/html/);
  assert.match(said, /"mute" did not start: it did not answer within 0\.3 s/);
  assert.match(said, /"moved" did not start: it answered with status 302|"moved" did not start: .*[Rr]edirect/);
  assert.match(said, /"nobody" did not start: connect ECONNREFUSED/);
  assert.doesNotMatch(said, /hunter2/);
  assert.equal(warnings.length, 7);
  assert.deepEqual(names(), []);
});

test("a session that the server has forgotten is begun again, and the call is sent again", async (t) => {
  let session = 0;
  const url = await serve(t, (exchange) => {
    const { request, response, message } = exchange;
    if (message.method === "initialize") return json(exchange, { "mcp-session-id": `s${++session}` });
    if (request.headers["mcp-session-id"] !== `s${session}`) return void response.writeHead(404).end();
    json(exchange);
  });
  const { call } = await startMcp(t, { far: { url } });
  session++;
  assert.deepEqual(await call("mcp_far_echo", { text: "hi" }), { result: "said hi" });
  assert.equal(session, 3);
});

test("a call is cancelled, and a message that is too large is refused", async (t) => {
  const seen: string[] = [];
  const url = await serve(t, (exchange) => {
    const { response, message } = exchange;
    const name = message.params?.name;
    seen.push(name ?? message.method);
    if (name === "never") return undefined;
    if (name !== "big") return json(exchange);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { content: [], text: "x".repeat(33 * 1024 * 1024) } }),
    );
  });
  const { call } = await startMcp(t, { far: { url } });
  const stop = new AbortController();
  const pending = assert.rejects(call("mcp_far_never", {}, stop.signal), /interrupted/);
  await until(() => seen.includes("never"), "the call arrives");
  stop.abort();
  await pending;
  await until(() => seen.includes("notifications/cancelled"), "the call is cancelled");
  await assert.rejects(call("mcp_far_big"), /more than 32 MiB/);
  assert.deepEqual(await call("mcp_far_echo", { text: "hi" }), { result: "said hi" });
});
