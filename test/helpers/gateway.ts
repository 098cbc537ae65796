/** The real gateway, started in a home of its own, and a client of its `api_server`. */
import assert from "node:assert/strict";
import type { Home, Running } from "./hermes.ts";

/** The least configuration of a gateway: `api_server` on a free port. */
export const API_SERVER = "gateway: { platforms: { api_server: { enabled: true, port: 0 } } }\n";

export interface Completion {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface RunningGateway extends Running {
  readonly url: string;
  /** Says `text` in the conversation `name` (without one, in a conversation of its own) and gives the answer. */
  say(text: string, name?: string): Promise<Completion>;
}

/** Starts `hermes gateway`; with `config` writes that first. Resolves when it takes messages. */
export async function startGateway(
  t: { after(fn: () => unknown): void },
  home: Home,
  options: { config?: string; args?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<RunningGateway> {
  if (options.config !== undefined) home.write("config.yaml", options.config);
  const running = home.start(
    [...(options.args ?? []), "gateway"],
    options.env === undefined ? {} : { env: options.env },
  );
  t.after(async () => {
    running.kill("SIGKILL");
    await running.ended;
  });
  await running.sees("/v1");
  // Other platforms may have addresses, too.
  const url = /http:\/\/127\.0\.0\.1:\d+(?=\/v1)/.exec(running.stdout() + running.stderr())?.[0];
  assert.ok(url, running.stderr());
  return {
    ...running,
    url,
    async say(text, name) {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(name === undefined ? {} : { "x-hermes-session-id": name }) },
        body: JSON.stringify({ model: "hermes", messages: [{ role: "user", content: text }] }),
      });
      const body = (await response.json()) as { choices?: { message: { content: string } }[] };
      return { status: response.status, text: body.choices?.[0]?.message.content ?? "", headers: response.headers };
    },
  };
}
