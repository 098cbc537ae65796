/** The least of the servers of messaging platforms that an adapter needs to start and to wait, on one port of loopback. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { freePort } from "../.ci/ports.ts";

const ID = "123456789012345678";
/** Longer than the measurement; Discord's is 41 s. */
const HEARTBEAT_MS = 41_250;

export interface PlatformServers extends AsyncDisposable {
  /** The section of config.yaml for each platform, as JSON. */
  readonly sections: Readonly<Record<string, object>>;
}

export async function startPlatformServers(): Promise<PlatformServers> {
  const server = createServer((request, response) => void answer(request, response));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, { url = "" }) => (url.startsWith("/discord") ? discord(socket) : slack(socket)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const root = `http://127.0.0.1:${port}`;
  const socketRoot = `ws://127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    await once(request, "end");
    const [path = ""] = (request.url ?? "").split("?");
    // A poll that waits for messages.
    if (path.endsWith("/getUpdates")) return;
    const found = Object.entries(ANSWERS).find(([ending]) => path.endsWith(ending));
    response.setHeader("content-type", "application/json");
    response.setHeader("x-oauth-scopes", SCOPES);
    response.end(JSON.stringify(found?.[1](socketRoot) ?? {}));
  }

  return {
    sections: {
      discord: { enabled: true, token: "a.b.c", api_root: `${root}/discord/v10` },
      slack: { enabled: true, bot_token: "xoxb-1", app_token: "xapp-1", api_root: `${root}/slack` },
      telegram: { enabled: true, token: "1:a", api_root: `${root}/telegram` },
      whatsapp: {
        enabled: true,
        token: "a",
        phone_number_id: ID,
        verify_token: "a-verify-token",
        app_secret: "a-secret",
        bind: `127.0.0.1:${await freePort()}`,
        api_root: `${root}/whatsapp`,
      },
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** By the end of the path. */
const ANSWERS: Readonly<Record<string, (socketRoot: string) => unknown>> = {
  "/getMe": () => ({ ok: true, result: { id: 1, is_bot: true, first_name: "Hermes", username: "HermesBot" } }),
  "/users/@me": () => ({ id: ID, username: "Hermes", bot: true }),
  "/applications/@me": () => ({ id: ID, name: "Hermes" }),
  "/commands": () => [],
  "/gateway/bot": (socketRoot) => ({
    url: `${socketRoot}/discord`,
    shards: 1,
    session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
  }),
  "/auth.test": () => ({
    ok: true,
    url: "https://a.slack.com/",
    team: "A",
    user: "hermes",
    team_id: "T1",
    user_id: "U1",
    bot_id: "B1",
  }),
  "/apps.connections.open": (socketRoot) => ({ ok: true, url: `${socketRoot}/slack` }),
  [`/${ID}`]: () => ({ id: ID, display_phone_number: "+1 555 0100", verified_name: "Hermes" }),
};

/** Every scope that the Slack app asks for. */
const SCOPES =
  "app_mentions:read,channels:history,channels:read,chat:write,commands,files:read,groups:history,groups:read," +
  "im:history,im:read,im:write,mpim:history,mpim:read,reactions:read,reactions:write,users:read,assistant:write";

/** HELLO, READY or RESUMED, and acknowledged heartbeats. */
function discord(socket: WebSocket): void {
  const say = (payload: object) => socket.send(JSON.stringify(payload));
  socket.on("message", (data) => {
    const { op } = JSON.parse((data as Buffer).toString()) as { op: number };
    if (op === 1) say({ op: 11 });
    // The session of the start before.
    if (op === 6) say({ op: 0, t: "RESUMED", s: 2, d: {} });
    if (op !== 2) return;
    const d = { v: 10, user: { id: ID }, application: { id: ID }, guilds: [], session_id: "s", resume_gateway_url: "" };
    say({ op: 0, t: "READY", s: 1, d });
  });
  say({ op: 10, d: { heartbeat_interval: HEARTBEAT_MS } });
}

function slack(socket: WebSocket): void {
  socket.send(JSON.stringify({ type: "hello", num_connections: 1 }));
}
