/** The real `hermes serve`, started in a home of its own. */
import { stringify } from "yaml";
import type { Home, Running } from "./hermes.ts";

/** The parts that have an address, each on a free port. */
export const EVERYTHING = {
  model: { provider: "offline" },
  gateway: { platforms: { api_server: { enabled: true, port: 0 } } },
  dashboard: { enabled: true, port: 0 },
};

export interface ServeOptions {
  readonly config?: object;
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
}

/** Starts `hermes serve`; with `config` writes that first. Resolves when everything runs. */
export async function startServe(
  t: { after(fn: () => unknown): void },
  home: Home,
  { config, env, args = [] }: ServeOptions = {},
): Promise<Running> {
  if (config !== undefined) home.write("config.yaml", stringify(config));
  const running = home.start(["serve", ...args], env === undefined ? {} : { env });
  t.after(async () => {
    running.kill("SIGKILL");
    await running.ended;
  });
  await running.sees("The service is running");
  return running;
}

/** Says `text` to the `api_server` of a service; gives the answer. */
export async function say(service: Running, text: string): Promise<string> {
  const url = /api_server: (\S+)/.exec(service.stdout())?.[1];
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "hermes", messages: [{ role: "user", content: text }] }),
  });
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? "";
}
