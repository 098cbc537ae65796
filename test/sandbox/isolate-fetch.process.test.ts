/** `host.fetch`: where it goes, where it does not, and how much it takes. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { until } from "../helpers/poll.ts";
import { Isolates, type HookOptions, type IsolatedHook } from "../helpers/isolates.ts";

type Serve = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A server on every loopback address: 127.0.0.1 is the one that handlers may reach, localhost is a stranger. */
async function startServer(context: TestContext, serve: Serve): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.headers.host?.split(":")[0]}${request.url}`);
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => serve(request, response, body));
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

/** A handler that gives what `code` gives, or the message of what it throws. */
function openFetcher(context: TestContext, code: string, options: HookOptions = {}): IsolatedHook {
  const text = `export async function handle(event, { port, path }, host) {
    const at = (rest) => "http://127.0.0.1:" + port + rest;
    try { return { message: await (async () => { ${code} })() }; }
    catch (error) { return { message: error.message }; }
  }`;
  return new Isolates(context).open("fetcher", text, { allow: { fetch: ["127.0.0.1"] }, ...options });
}

test("a request and its answer", async (context) => {
  const { port } = await startServer(context, (request, response, body) => {
    response.writeHead(201, { "content-type": "application/json", "X-Many": ["a", "b"] });
    response.end(JSON.stringify({ method: request.method, key: request.headers["x-key"], body, url: request.url }));
  });
  const hook = openFetcher(
    context,
    `const response = await host.fetch(at("/path?q=1"), { method: "post", headers: { "X-Key": "k" }, body: "é💡" });
     const { status, ok, headers } = response;
     return [status, ok, headers["content-type"], headers.get("X-MANY"), headers.get("absent"),
       await response.json(), (await response.text()).length, Object.isFrozen(headers)];`,
  );
  const answer = { method: "POST", key: "k", body: "é💡", url: "/path?q=1" };
  const length = JSON.stringify(answer).length;
  assert.deepEqual((await hook.run({ port }))?.message, [
    201,
    true,
    "application/json",
    "a, b",
    null,
    answer,
    length,
    true,
  ]);
});

test("hosts that are not named are not reached, however they are written", async (context) => {
  const { port, requests } = await startServer(context, (_request, response) => response.end("reached"));
  const hook = openFetcher(context, `return (await host.fetch(path, { method: port ?? "GET" })).text();`);
  const go = async (path: string) => (await hook.run({ path }))?.message;
  const named = / is not listed in allow\.fetch of HOOK\.yaml$/;
  for (const path of [
    `http://localhost:${port}/`,
    `http://127.0.0.2:${port}/`,
    `http://127.0.0.1.example.com:${port}/`,
    `http://[::1]:${port}/`,
    `http://127.0.0.1%2eexample.com:${port}/`,
    `http:\\\\localhost:${port}\\`,
  ]) {
    assert.match(String(await go(path)), /not listed in allow\.fetch|URL is invalid/, path);
  }
  assert.match(String(await go(`http://169.254.169.254/`)), named);
  assert.equal(await go(`file:///etc/passwd`), "host.fetch does not support file:");
  assert.equal(await go(`data:text/plain,x`), "host.fetch does not support data:");
  assert.equal(
    await go(`http://user:word@127.0.0.1:${port}/`),
    "the URL contains a user name or password; send them in a header",
  );
  assert.equal(await go("/path"), "the URL is invalid");
  assert.equal(
    (await hook.run({ path: `http://127.0.0.1:${port}/`, port: "CONNECT" }))?.message,
    'host.fetch does not support the method "CONNECT"',
  );
  assert.deepEqual(requests, []);
  // Other ways to write the same address are that address.
  assert.equal(await go(`http://0x7f.1:${port}/`), "reached");
  assert.deepEqual(requests, ["GET 127.0.0.1/"]);
});

test("redirects are followed to named hosts only, five of them, as browsers do", async (context) => {
  const { port, requests } = await startServer(context, (request, response, body) => {
    const [, kind = "", rest = ""] = /^\/(\w+)\/?(.*)$/.exec(request.url ?? "") ?? [];
    const to = (status: number, location: string) => void response.writeHead(status, { location }).end("moved");
    if (kind === "away") return to(302, `http://localhost:${port}/secret`);
    if (kind === "loop") return to(307, "/loop");
    if (kind === "to") return to(Number(rest), "/end");
    if (kind === "chain") return to(302, rest === "1" ? "/end" : `/chain/${Number(rest) - 1}`);
    const headers = [request.headers["authorization"], request.headers["content-type"]];
    return void response.end(JSON.stringify([request.method, body, ...headers.map((one) => one ?? null)]));
  });
  const hook = openFetcher(
    context,
    `return (await host.fetch(at(path), {
       method: "POST", body: "text", headers: { authorization: "a", "content-type": "text/plain" } })).text();`,
  );
  const go = async (path: string) => (await hook.run({ port, path }))?.message;
  assert.equal(
    await go("/away"),
    `127.0.0.1:${port} redirects to another host, and localhost is not listed in allow.fetch of HOOK.yaml`,
  );
  assert.equal(await go("/loop"), `127.0.0.1:${port} redirected more than 5 times`);
  assert.equal(requests.length, 1 + 6);
  assert.equal(await go("/to/303"), '["GET","","a",null]');
  assert.equal(await go("/to/301"), '["GET","","a",null]');
  assert.equal(await go("/to/308"), '["POST","text","a","text/plain"]');
  assert.equal(await go("/chain/5"), '["GET","","a",null]');
  assert.equal(await go("/chain/6"), `127.0.0.1:${port} redirected more than 5 times`);
});

test("credentials do not follow a redirect to another origin", async (context) => {
  const second = await startServer(context, (request, response) => {
    response.end(JSON.stringify([request.headers["authorization"] ?? null, request.headers["x-key"] ?? null]));
  });
  const { port } = await startServer(context, (_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${second.port}/` }).end();
  });
  const hook = openFetcher(
    context,
    `return (await host.fetch(at("/"), { headers: [["Authorization", "a"], ["X-Key", "k"]] })).text();`,
  );
  assert.equal((await hook.run({ port }))?.message, '[null,"k"]');
});

test("headers that belong to the connection are refused", async (context) => {
  const { port, requests } = await startServer(context, (_request, response) => response.end());
  const hook = openFetcher(context, `return (await host.fetch(at("/"), { headers: { [path]: "x" } })).status;`);
  for (const name of ["Host", "connection", "Content-Length", "transfer-encoding", "Proxy-Authorization", "upgrade"]) {
    assert.equal((await hook.run({ port, path: name }))?.message, `host.fetch cannot set the header ${name}`);
  }
  assert.match(
    String((await hook.run({ port, path: "bad name\r\nx" }))?.message),
    /cannot be reached: invalid header/i,
  );
  assert.deepEqual(requests, []);
});

test("bodies are bounded in both directions", async (context) => {
  let broken = 0;
  const { port } = await startServer(context, (request, response) => {
    if (request.url === "/exact") return void response.end("x".repeat(1024 * 1024));
    const write = () => {
      while (response.write("x".repeat(65_536)));
      response.once("drain", write);
    };
    response.once("close", () => (broken += 1));
    return write();
  });
  const hook = openFetcher(context, `return (await (await host.fetch(at(path))).text()).length;`);
  assert.equal((await hook.run({ port, path: "/exact" }))?.message, 1024 * 1024);
  assert.equal(
    (await hook.run({ port, path: "/endless" }))?.message,
    `the response of 127.0.0.1:${port} is larger than 1048576 bytes`,
  );
  await until(() => broken === 1, "the connection was given up");
  const sends = openFetcher(
    context,
    `return (await host.fetch(at("/exact"), { method: "POST", body: path.repeat(600_000) })).status;`,
  );
  assert.equal((await sends.run({ port, path: "x" }))?.message, 200);
  assert.equal((await sends.run({ port, path: "é" }))?.message, "the request's body is larger than 1048576 bytes");
  assert.equal((await sends.run({ port, path: "xx" }))?.message, "the body is longer than 1048576 characters");
});

test("a server that does not answer costs a run no more than its deadline", async (context) => {
  let closed = 0;
  const { port, requests } = await startServer(
    context,
    (request) => void request.socket.once("close", () => (closed += 1)),
  );
  const hook = openFetcher(context, `if (path) return "next"; return (await host.fetch(at("/"))).status;`, {
    timeoutSeconds: 2,
    allow: { fetch: ["127.0.0.1"] },
  });
  await hook.run({ path: "warm" });
  const { code } = await hook.fails({ port });
  assert.equal(code, "HERMES_HANDLER_TIMEOUT");
  await until(() => closed === 1, "the connection was given up");
  assert.equal(requests.length, 1);
  assert.equal((await hook.run({ path: "next" }))?.message, "next");
});

test("servers that break off or are not there are errors of the call", async (context) => {
  const { port } = await startServer(context, (request, response) => {
    if (request.url === "/early") return void response.socket?.destroy();
    response.writeHead(200, { "content-length": "100" });
    response.write("half");
    response.socket?.destroySoon();
  });
  const hook = openFetcher(context, `return (await host.fetch(at(path))).status;`);
  const go = async (path: string, to = port) => String((await hook.run({ port: to, path }))?.message);
  assert.match(await go("/early"), /^127\.0\.0\.1:\d+ cannot be reached: /);
  assert.match(await go("/half"), /^127\.0\.0\.1:\d+ cannot be reached: /);
  const secret = await go("/bot12345:secret", 1);
  assert.match(secret, /^127\.0\.0\.1:1 cannot be reached: /);
  assert.ok(!secret.includes("secret"), "the path may hold one");
});

test("requests are bounded in number", async (context) => {
  const { port, requests } = await startServer(context, (_request, response) => response.end("ok"));
  const hook = openFetcher(
    context,
    `const all = await Promise.allSettled(Array.from({ length: 10 }, () => host.fetch(at("/"))));
     const problems = all.filter(({ status }) => status === "rejected").map(({ reason }) => reason.message);
     for (let index = 0; index < 50; index++) await host.fetch(at("/")).catch((error) => problems.push(error.message));
     return [...new Set(problems)];`,
  );
  assert.deepEqual((await hook.run({ port }))?.message, [
    "more than 8 calls of host.fetch at a time",
    "more than 50 calls of host.fetch in one run",
  ]);
  assert.equal(requests.length, 50);
});

test("init may be hostile", async (context) => {
  const { port, requests } = await startServer(context, (_request, response) => response.end("ok"));
  const hook = openFetcher(
    context,
    `const problems = [];
     const attempts = [{ get method() { throw new Error("getter") } }, { body: new Uint8Array(4) }, { headers: null },
       { headers: { a: Symbol("s") } }, { headers: { a: { toString() { throw new Error("text") } } } }, { body: "x" }];
     for (const init of attempts) await host.fetch(at("/"), init).then((r) => problems.push(r.status), (e) => problems.push(e.message));
     await host.fetch({ toString: () => at("/text") }).then((r) => problems.push(r.status));
     return problems;`,
  );
  const [getter, bytes, ...rest] = (await hook.run({ port }))!.message as string[];
  assert.deepEqual([getter, bytes], ["getter", "host.fetch expects a string as its body"]);
  assert.deepEqual(rest.slice(-3), ["text", "a GET request cannot have a body", 200]);
  assert.deepEqual(requests.at(-1), "GET 127.0.0.1/text");
});
