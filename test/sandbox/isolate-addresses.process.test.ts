/** `host.fetch` looks at the address that it connects to, not only at the name. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { isIP, type AddressInfo, type LookupFunction } from "node:net";
import test, { type TestContext } from "node:test";
import { Isolates, type IsolatedHook } from "../helpers/isolates.ts";

/** What each name resolves to; every look-up of a name takes its next answer, the last one again and again. */
type Zone = Readonly<Record<string, readonly (readonly string[])[]>>;

const HANDLER = `export async function handle(event, { url }, host) {
  try { return { message: await (await host.fetch(url)).text() }; }
  catch (error) { return { message: error.message }; }
}`;

async function startServer(context: TestContext, serve: RequestListener): Promise<{ port: number; hosts: string[] }> {
  const hosts: string[] = [];
  const server = createServer((request, response) => {
    hosts.push(String(request.headers.host));
    serve(request, response);
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, hosts };
}

function makeLookup(zone: Zone): { lookup: LookupFunction; lookups: string[] } {
  const lookups: string[] = [];
  const lookup: LookupFunction = (host, options, callback) => {
    const answers = zone[host] ?? [];
    const turn = lookups.filter((one) => one === host).length;
    lookups.push(host);
    const found = (answers[Math.min(turn, answers.length - 1)] ?? []).map((address) => ({
      address,
      family: isIP(address),
    }));
    assert.equal(options.all, true);
    setImmediate(callback, null, found);
  };
  return { lookup, lookups };
}

function openFetcher(isolates: Isolates, name: string, fetch: readonly string[]) {
  const hook: IsolatedHook = isolates.open(name, HANDLER, { allow: { fetch } });
  return async (url: string) => String((await hook.run({ url }))?.message);
}

test("a name that resolves to an address which is not public is refused before anything is sent", async (context) => {
  const { port, hosts } = await startServer(context, (_request, response) => response.end("reached"));
  const names = {
    "loopback.example.com": ["127.0.0.1", "loopback"],
    "lan.example.com": ["192.168.7.7", "private"],
    "metadata.example.com": ["169.254.169.254", "link-local"],
    "mapped.example.com": ["::ffff:127.0.0.1", "loopback"],
    "translated.example.com": ["64:ff9b::7f00:1", "loopback"],
    "local.example.com": ["fd00:ec2::254", "unique local"],
    "any.example.com": ["0.0.0.0", "unspecified"],
  } as const;
  const zone = Object.fromEntries(Object.entries(names).map(([name, [address]]) => [name, [[address]]]));
  const isolates = new Isolates(context, {}, makeLookup(zone).lookup);
  const go = openFetcher(isolates, "names", Object.keys(names));
  for (const [name, [address, kind]] of Object.entries(names)) {
    const add = kind === "loopback" ? `${address} (or localhost)` : address;
    assert.equal(
      await go(`http://${name}:${port}/`),
      `${name} is at ${address}, which is not a public address (${kind}); to allow it, add ${add} to allow.fetch of HOOK.yaml`,
    );
  }
  assert.deepEqual(hosts, []);
});

test("one refused address among several refuses the name", async (context) => {
  const { port, hosts } = await startServer(context, (_request, response) => response.end("reached"));
  const { lookup } = makeLookup({ "mixed.example.com": [["203.0.114.1", "127.0.0.1"]] });
  const go = openFetcher(new Isolates(context, {}, lookup), "mixed", ["mixed.example.com"]);
  assert.match(await go(`http://mixed.example.com:${port}/`), /^mixed\.example\.com is at 127\.0\.0\.1, which/);
  assert.deepEqual(hosts, []);
});

test("what is connected to is what was checked: a name is resolved once for each connection", async (context) => {
  const { port, hosts } = await startServer(context, (_request, response) => {
    response.setHeader("connection", "close").end("reached");
  });
  // Allowed while it is looked at, another address a moment later.
  const { lookup, lookups } = makeLookup({ "rebinds.example.com": [["127.0.0.1"], ["127.0.0.2"]] });
  const go = openFetcher(new Isolates(context, {}, lookup), "rebinds", ["rebinds.example.com", "127.0.0.1"]);
  assert.equal(await go(`http://rebinds.example.com:${port}/`), "reached");
  assert.deepEqual(lookups, ["rebinds.example.com"]);
  assert.match(await go(`http://rebinds.example.com:${port}/`), /^rebinds\.example\.com is at 127\.0\.0\.2, which/);
  assert.deepEqual(hosts, [`rebinds.example.com:${port}`]);
});

test("a redirect to a named host is checked like the first request", async (context) => {
  const { port, hosts } = await startServer(context, (request, response) => {
    if (request.url === "/secret") return void response.end("secret");
    return void response.writeHead(302, { location: `http://inside.example.com:${port}/secret` }).end();
  });
  const { lookup } = makeLookup({ "outside.example.com": [["127.0.0.1"]], "inside.example.com": [["127.0.0.9"]] });
  const allowed = ["outside.example.com", "inside.example.com", "127.0.0.1"];
  const go = openFetcher(new Isolates(context, {}, lookup), "redirects", allowed);
  assert.match(await go(`http://outside.example.com:${port}/`), /^inside\.example\.com is at 127\.0\.0\.9, which/);
  assert.deepEqual(hosts, [`outside.example.com:${port}`]);
});

test("an address or localhost in allow.fetch is an exception for that hook only", async (context) => {
  const { port, hosts } = await startServer(context, (_request, response) => response.end("reached"));
  const { lookup } = makeLookup({ localhost: [["127.0.0.1"]], "own.example.com": [["127.0.0.1"]] });
  const isolates = new Isolates(context, {}, lookup);
  const url = `http://own.example.com:${port}/`;
  const named = openFetcher(isolates, "named", ["own.example.com", "127.0.0.1"]);
  assert.equal(await named(url), "reached");
  assert.equal(await named(`http://127.0.0.1:${port}/`), "reached");
  const localhost = openFetcher(isolates, "localhost", ["own.example.com", "localhost"]);
  assert.equal(await localhost(`http://localhost:${port}/`), "reached");
  assert.equal(await localhost(url), "reached");
  // The open connection of the others is not used.
  const without = openFetcher(isolates, "without", ["own.example.com"]);
  assert.match(await without(url), /^own\.example\.com is at 127\.0\.0\.1, which is not a public address \(loopback\)/);
  const other = openFetcher(isolates, "other", ["own.example.com", "127.0.0.2"]);
  assert.match(await other(url), /^own\.example\.com is at 127\.0\.0\.1, which/);
  assert.equal(hosts.length, 4);
});

test("localhost is an exception for loopback addresses only", async (context) => {
  const { lookup } = makeLookup({ localhost: [["192.168.7.7"]] });
  const go = openFetcher(new Isolates(context, {}, lookup), "hosts-file", ["localhost"]);
  assert.match(await go("http://localhost:9/"), /^localhost is at 192\.168\.7\.7, which is not a public address/);
});

test("names that the system resolves are checked too", async (context) => {
  const { port, hosts } = await startServer(context, (_request, response) => response.end("reached"));
  const isolates = new Isolates(context);
  assert.equal(await openFetcher(isolates, "system", ["localhost"])(`http://localhost:${port}/`), "reached");
  assert.equal(hosts.length, 1);
});
