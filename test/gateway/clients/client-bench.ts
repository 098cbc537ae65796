/** A real gateway before a scripted model server, for clients that other people wrote. */
import type { TestContext } from "node:test";
import { startGateway, type RunningGateway } from "../../helpers/gateway.ts";
import { Home } from "../../helpers/hermes.ts";
import { startModelServer, type ModelServer, type Reply } from "../../helpers/model-server.ts";

export const KEY = "the-key-of-this-test";
export const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export interface ClientBench {
  readonly home: Home;
  readonly gateway: RunningGateway;
  /** With `/v1`, as clients want it. */
  readonly baseURL: string;
  readonly model: ModelServer;
  /** The sessions of the home. */
  sessions(): Promise<readonly { readonly id: string; readonly message_count: number }[]>;
}

export async function startClientBench(t: TestContext, replies: readonly Reply[]): Promise<ClientBench> {
  const model = await startModelServer(replies);
  t.after(() => model.stop());
  const home = new Home(t);
  const gateway = await startGateway(t, home, {
    config: [
      `model: { provider: openai-compatible, default: test-model, base_url: "${model.url}", max_retries: 0 }`,
      `gateway: { platforms: { api_server: { enabled: true, port: 0, key: ${KEY} } } }`,
    ].join("\n"),
  });
  return {
    home,
    gateway,
    baseURL: `${gateway.url}/v1`,
    model,
    async sessions() {
      const { stdout } = await home.run(["sessions", "list", "--json"]);
      return (JSON.parse(stdout) as { sessions: { id: string; message_count: number }[] }).sessions;
    },
  };
}
