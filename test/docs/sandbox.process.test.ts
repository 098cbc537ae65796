/** docs/sandbox.md: its example runs in the real gateway as it stands there, and its tables say what the tests say. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { countBlocks, examplesOf, readPage } from "../helpers/examples.ts";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";
import { OWN, SHARED, UNLOADABLE, type Expected } from "../helpers/hostile-handlers.ts";

const PAGE = "docs/sandbox.md";

interface Report {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** The server that the example reports to. */
async function startReceiver(context: TestContext): Promise<{ port: number; reports: Report[] }> {
  const reports: Report[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.on("end", () => {
      reports.push({ path: request.url, authorization: request.headers.authorization, body: JSON.parse(text) });
      response.end("thanks");
    });
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, reports };
}

test("the example counts, reports every tenth turn, and answers its command", async (context) => {
  const { port, reports } = await startReceiver(context);
  const home = new Home(context);
  const manifest = examplesOf(PAGE, "yaml").get("usage-manifest")!;
  const handler = examplesOf(PAGE, "ts").get("usage-handler")!;
  home.write("hooks/usage/HOOK.yaml", manifest.replace("hooks.example.com", "127.0.0.1"));
  home.write("hooks/usage/handler.ts", handler.replace("https://hooks.example.com", `http://127.0.0.1:${port}`));
  const gateway = await startGateway(context, home, { config: API_SERVER, env: { USAGE_TOKEN: "let-me-in" } });
  for (let turn = 0; turn < 10; turn++) await gateway.say(`turn ${turn}`, "chat");
  await until(() => reports.length === 1, "the tenth turn is reported");
  const body = { turns: 10, platform: "api_server" };
  assert.deepEqual(reports, [{ path: "/usage", authorization: "Bearer let-me-in", body }]);
  assert.equal((await gateway.say("/usage", "chat")).text, "10 turns so far");
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);

  const again = await startGateway(context, home, { env: { USAGE_TOKEN: "let-me-in" } });
  assert.equal((await again.say("/usage", "chat")).text, "10 turns so far", "it is kept");
  assert.match(home.read("logs/hermes.log"), /usage: reported 10 turns/);
  assert.ok(!home.read("logs/hermes.log").includes("let-me-in"));
});

test("an untrusted hook is held to its grants, as the page says", async (context) => {
  const home = new Home(context);
  home.write("config.yaml", examplesOf(PAGE, "yaml").get("untrusted")!);
  for (const name of ["pulled-hook", "another-hook"]) {
    home.write(
      `hooks/${name}/HOOK.yaml`,
      `name: ${name}\nevents: [agent:start]\nisolation: isolate\nallow: { fetch: [api.example.com, other.example.com], kv: true }\n`,
    );
    home.write(`hooks/${name}/handler.js`, "export const handle = () => undefined;\n");
  }
  const { stdout } = await home.run(["hooks", "list", "--json"]);
  const { warnings } = JSON.parse(stdout) as { warnings: readonly string[] };
  const about = (name: string) => warnings.filter((sentence) => sentence.includes(name)).join();
  assert.match(about("hooks/pulled-hook"), /does not get it: fetch other\.example\.com\./);
  assert.match(
    about("hooks/another-hook"),
    /does not get it: fetch api\.example\.com, fetch other\.example\.com, kv\./,
  );
});

test("every block of the page is an example or a line of a manifest", () => {
  assert.equal(countBlocks(PAGE, "ts"), examplesOf(PAGE, "ts").size);
  assert.equal(countBlocks(PAGE, "yaml"), examplesOf(PAGE, "yaml").size + 1);
});

const CODES: Readonly<Record<string, string>> = {
  HERMES_HANDLER_FAILED: "fails",
  HERMES_HANDLER_TIMEOUT: "timeout",
  HERMES_HANDLER_DIED: "dies",
  HERMES_HANDLER_UNUSABLE: "unusable",
};

test("the tables of hostile handlers say what becomes of them in an isolate", () => {
  const rows = [...readPage(PAGE).matchAll(/^\| `([a-z-]+)` .*\| ([^|]+) \|$/gm)].map(([, name, said]) => [
    name!,
    /^\w+/.exec(said!.trim())![0],
  ]);
  const expected = Object.entries({ ...SHARED, ...UNLOADABLE, ...OWN }).map(([name, one]) => [name, wordFor(one)]);
  assert.deepEqual(rows.toSorted(byName), expected.toSorted(byName));
});

function wordFor(expected: Expected): string {
  return "answers" in expected ? "answers" : CODES[expected.fails]!;
}

function byName([left = ""]: readonly string[], [right = ""]: readonly string[]): number {
  return left < right ? -1 : 1;
}
