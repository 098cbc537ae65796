import assert from "node:assert/strict";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { TestDashboard } from "../helpers/dashboard.ts";

const FRAME = { event_type: "agent:start", src: "gateway" };
const PROTECTED = ["/api/events", "/api/history", "/api/status", "/api/session"];

test("401 without the token, on every route that has something to hide", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const path of PROTECTED) assert.equal((await dashboard.get(path)).status, 401, path);
  for (const path of ["/api/hooks/ingest", "/api/session/code", "/api/session/end"]) {
    const answer = await dashboard.post(path, FRAME);
    assert.equal(answer.status, 401, path);
    assert.equal(answer.headers.get("www-authenticate"), "Bearer");
  }
});

test("401 for a token that is wrong, longer, shorter, of another scheme", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const { token } = dashboard.dashboard;
  const wrong = ["Bearer wrong", `Bearer ${token}x`, `Bearer ${token.slice(0, -1)}`, `Bearer ${token} ${token}`];
  for (const authorization of [...wrong, "Bearer", "Bearer ", `Basic ${token}`, token, `Bearer ${"x".repeat(8000)}`]) {
    const { status } = await dashboard.ingest(FRAME, { authorization });
    assert.equal(status, 401, authorization.slice(0, 80));
  }
  assert.equal((await dashboard.ingest(FRAME)).status, 200);
  assert.equal((await dashboard.ingest(FRAME, { authorization: `bearer  ${token}` })).status, 200);
});

test("401 for a token that is not ASCII, and for two Authorization headers", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const { token } = dashboard.dashboard;
  const host = ["host", `127.0.0.1:${dashboard.port}`];
  const ask = (...headers: string[]) => dashboard.raw("/api/status", [...host, ...headers]);
  assert.equal((await ask("authorization", `Bearer ${token}é`)).status, 401);
  assert.equal((await ask("authorization", "Bearer \u00ff\u00fe")).status, 401);
  assert.equal((await ask("authorization", `Bearer ${token}`, "authorization", "Bearer wrong")).status, 401);
  assert.equal((await ask("authorization", `Bearer ${token}`, "authorization", `Bearer ${token}`)).status, 401);
  assert.equal((await ask("authorization", `Bearer ${token}`)).status, 200);
});

test("401 comes before the body is read", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const socket = await dashboard.connect(t);
  socket.write(
    "POST /api/hooks/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n",
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1.1 401 /);
});

test("who waits to be asked for its body is asked only when it may send one", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const body = JSON.stringify(FRAME);
  const ask = async (token: string) => {
    const socket = await dashboard.connect(t);
    const head = ["POST /api/hooks/ingest HTTP/1.1", "Host: localhost", `Authorization: Bearer ${token}`];
    head.push("Content-Type: application/json", `Content-Length: ${body.length}`, "Expect: 100-continue", "", "");
    socket.write(head.join("\r\n"));
    const [answer] = (await once(socket, "data")) as [Buffer];
    return { socket, answer: answer.toString() };
  };
  assert.match((await ask("wrong")).answer, /^HTTP\/1.1 401 /);
  const { socket, answer } = await ask(dashboard.dashboard.token);
  assert.match(answer, /^HTTP\/1.1 100 /);
  socket.write(body);
  const [taken] = (await once(socket, "data")) as [Buffer];
  assert.match(taken.toString(), /^HTTP\/1.1 200 /);
});

test("more than 20 wrong tokens a second from one address get 429, a right one never does", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const guess = () => dashboard.ingest(FRAME, { authorization: "Bearer guess" });
  const answers = await Promise.all(Array.from({ length: 200 }, guess));
  const counts = new Map<number, number>();
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  assert.deepEqual(
    [...counts.keys()].toSorted((a, b) => a - b),
    [401, 429],
  );
  assert.ok(counts.get(401)! >= 20);
  const limited = answers.find(({ status }) => status === 429)!;
  assert.equal(limited.headers.get("retry-after"), "1");
  const right = await Promise.all(Array.from({ length: 100 }, () => dashboard.ingest(FRAME)));
  assert.ok(right.every(({ status }) => status === 200));
  assert.equal(dashboard.log.filter((line) => line.includes("too many wrong tokens")).length, 1);
});

test("403 for a Host that is not this machine's, on every route", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const authorization = `Bearer ${dashboard.dashboard.token}`;
  const ask = (host: string, path = "/api/hooks/health") =>
    dashboard.raw(path, ["host", host, "authorization", authorization]);
  const foreign = [
    "evil.example",
    "evil.example:9119",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "2130706433",
  ];
  for (const host of [...foreign, "user@127.0.0.1", "127.0.0.1/x", "[::2]", "", "localhost:", "a b"]) {
    assert.equal((await ask(host)).status, 403, host);
  }
  for (const path of ["/", "/api/events", "/api/status", "/nothing"]) {
    assert.equal((await ask("evil.example", path)).status, 403, path);
  }
  for (const host of ["127.0.0.1", "127.1.2.3:80", "localhost", "LOCALHOST:8080", "localhost.", "[::1]:9119"]) {
    assert.equal((await ask(host)).status, 200, host);
  }
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    const host = family === "IPv6" ? `[${address}]` : address;
    assert.equal((await ask(host)).status, 200, host);
  }
});

test("two Host headers are refused", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const { status } = await dashboard.raw("/api/hooks/health", ["host", "localhost", "host", "evil.example"]);
  assert.ok([400, 403].includes(status));
});

test("dashboard.allowed_hosts adds names", async (t) => {
  const dashboard = await TestDashboard.start(t, { allowedHosts: ["Dash.Example", "10.9.8.7:443"] });
  const ask = (host: string, origin = `https://${host}`) =>
    dashboard.raw("/api/hooks/health", ["host", host, "origin", origin]);
  assert.equal((await ask("dash.example")).status, 200);
  assert.equal((await ask("10.9.8.7")).status, 200);
  assert.equal((await ask("other.example")).status, 403);
  assert.equal((await ask("dash.example", "https://evil.example")).status, 403);
});

test("403 for a foreign Origin, with the right token too", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const own = new URL(dashboard.url).host;
  const foreign = ["https://evil.example", "null", `http://evil.example:${dashboard.port}`, "file://", `ftp://${own}`];
  for (const origin of [...foreign, `http://user@${own}`, `http://${own}/path`, "nonsense", ""]) {
    assert.equal((await dashboard.ingest(FRAME, { ...dashboard.bearer, origin })).status, 403, origin);
  }
  for (const origin of [`http://${own}`, `http://localhost:${dashboard.port}`, "http://LOCALHOST", "https://[::1]:1"]) {
    assert.equal((await dashboard.ingest(FRAME, { ...dashboard.bearer, origin })).status, 200, origin);
  }
  assert.equal((await dashboard.history()).length, 4);
  const two = ["host", own, "origin", `http://${own}`, "origin", "https://evil.example"];
  assert.equal((await dashboard.raw("/api/hooks/health", two)).status, 403);
});

test("what another site's page embeds is refused; a link there may be followed", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const ask = (mode: string, path: string) =>
    dashboard.raw(path, ["host", "localhost", "sec-fetch-site", "cross-site", "sec-fetch-mode", mode]);
  assert.equal((await ask("no-cors", "/api/hooks/health")).status, 403);
  assert.notEqual((await ask("navigate", "/")).status, 403);
});

test("every answer carries the headers that keep browsers careful", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const path of ["/", "/api/status", "/api/hooks/health", "/nothing"]) {
    const { headers } = await dashboard.get(path);
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none';.*frame-ancestors 'none'$/, path);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
  assert.equal((await dashboard.get("/api/status", dashboard.bearer)).headers.get("cache-control"), "no-store");
});

test("nothing but the page's own files is served", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const paths = [
    "/../server.ts",
    "/..%2fserver.ts",
    "/%2e%2e/server.ts",
    "/server.ts",
    "/.env",
    "/page/",
    "/%00",
    "//",
  ];
  for (const path of paths) {
    const { status, text } = await dashboard.raw(path, ["host", "localhost"]);
    assert.ok([400, 403, 404].includes(status), `${path} gave ${status}`);
    assert.doesNotMatch(text, /createDashboard/);
  }
});

test("an unknown route is 404, whoever asks", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const path of ["/api", "/api/nothing", "/api/hooks/ingest"]) {
    const { status, json } = await dashboard.get(path, dashboard.bearer);
    assert.equal(status, 404, path);
    assert.equal(typeof json()["detail"], "string");
  }
});
