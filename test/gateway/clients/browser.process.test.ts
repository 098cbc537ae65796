/** OpenAI's own package in a web page, in a real browser, against a real gateway. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { build } from "esbuild";
import { startBrowser, openTab } from "../../helpers/browser.ts";
import { startGateway } from "../../helpers/gateway.ts";
import { Home, ROOT } from "../../helpers/hermes.ts";

const SCRIPT = `
  import OpenAI from "openai";
  globalThis.ask = async (baseURL, apiKey) => {
    const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, dangerouslyAllowBrowser: true });
    const messages = [{ role: "user", content: "hello" }];
    try {
      const { data, response } = await client.chat.completions.create({ model: "hermes", messages }).withResponse();
      let streamed = "";
      for await (const event of await client.responses.create({ model: "hermes", input: "hello", stream: true })) {
        if (event.type === "response.output_text.delta") streamed += event.delta;
      }
      const session = response.headers.get("x-hermes-session-id");
      return { text: data.choices[0].message.content, streamed, session };
    } catch (error) {
      return { error: error.constructor.name, status: error.status ?? null };
    }
  };
`;

/** Serves one page with the script; gives its origin. */
async function startSite(t: TestContext, script: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><script>${script}</script>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Asked {
  readonly text?: string;
  readonly streamed?: string;
  readonly session?: string | null;
  readonly error?: string;
  readonly status?: number | null;
}

test("a listed page gets answers, streams, the session and readable errors; another page gets nothing", async (t) => {
  const { outputFiles } = await build({
    stdin: { contents: SCRIPT, resolveDir: ROOT },
    bundle: true,
    write: false,
    platform: "browser",
    logLevel: "silent",
  });
  const script = outputFiles[0]!.text.replaceAll("</script", "<\\/script");
  const [listed, other] = [await startSite(t, script), await startSite(t, script)];
  const gateway = await startGateway(t, new Home(t), {
    config: `model: { provider: offline }
gateway: { platforms: { api_server: { enabled: true, port: 0, key: right, cors_origins: ["${listed}"] } } }`,
  });
  const browser = await startBrowser(t);
  const askFrom = async (origin: string, key: string): Promise<Asked> => {
    const { page, context } = await openTab(browser);
    await page.goto(origin);
    const asked = await page.evaluate(`ask("${gateway.url}/v1", "${key}")`);
    await context.close();
    return asked as Asked;
  };
  const answer = await askFrom(listed, "right");
  assert.match(answer.text ?? JSON.stringify(answer), /^hello/);
  assert.match(answer.streamed ?? "", /^hello/);
  assert.match(answer.session ?? "", /^[0-9a-f]{8}_/);
  assert.equal((await askFrom(listed, "wrong")).status, 401);
  assert.deepEqual(await askFrom(other, "right"), { error: "APIConnectionError", status: null });
});
