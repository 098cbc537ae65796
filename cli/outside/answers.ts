/** Answers hermes commands in the sandbox, which cannot read `state.db` themselves (CONTRACT §15). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { problemOf } from "#core/errors";
import { ensureFolder, type HomePaths } from "#core/home/paths";
import type { Wall } from "#core/ports/wall";
import { LONGEST_REQUEST, outsideSocket, parseRequest, type OutsideAnswer } from "./requests.ts";

export interface AnswersOptions {
  readonly paths: Pick<HomePaths, "home" | "run">;
  readonly env: NodeJS.ProcessEnv;
  /** Called once when requests cannot be received. */
  readonly onProblem: (problem: string) => void;
}

export interface OutsideAnswers extends AsyncDisposable {
  /** The wall. The first command in it makes this process listen. */
  readonly serve: (wall: Wall) => Wall;
}

/** How long a client may take to send its request. */
const REQUEST_MS = 5000;
/** The maximum number of concurrent requests. Further connections are closed. */
const MOST_REQUESTS = 4;

/** Creates a process's server, which listens on a socket in `run/` from the first sandboxed command. */
export function createOutsideAnswers({ paths, env, onProblem }: AnswersOptions): OutsideAnswers {
  let listening: Promise<Server | undefined> | undefined;
  const clients = new Set<Socket>();

  async function listen(): Promise<Server | undefined> {
    const socket = outsideSocket(paths.run, process.pid);
    const server = createServer({ allowHalfOpen: true }, (client) => {
      clients.add(client);
      client.once("close", () => clients.delete(client));
      if (clients.size > MOST_REQUESTS) client.destroy();
      else void answer(client, paths.home, env);
    });
    try {
      ensureFolder(paths.run);
      // A process that had this pid before was killed.
      rmSync(socket, { force: true });
      server.listen(socket);
      await once(server, "listening");
      chmodSync(socket, 0o600);
    } catch (error) {
      onProblem(problemOf(error));
      return undefined;
    }
    server.unref();
    return server;
  }

  return {
    serve: (wall) => ({
      ...wall,
      async enclose(command) {
        const enclosed = await wall.enclose(command);
        if (enclosed !== null && !("problem" in enclosed)) await (listening ??= listen());
        return enclosed;
      },
    }),
    async [Symbol.asyncDispose]() {
      const server = await listening;
      for (const client of clients) client.destroy();
      // Node removes the socket's file.
      if (server !== undefined) await new Promise((closed) => server.close(closed));
    },
  };
}

/** Runs a request's command in its own process outside the sandbox, until it ends or the client disconnects. */
async function answer(client: Socket, home: string, env: NodeJS.ProcessEnv): Promise<void> {
  client.on("error", () => client.destroy());
  const request = parseRequest(await readRequest(client));
  if (request === undefined) return void client.destroy();
  const send = (part: OutsideAnswer) => client.writable && client.write(`${JSON.stringify(part)}\n`);
  const child = spawn(process.execPath, [process.argv[1]!, "--home", home, ...request.words], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  client.once("close", () => child.kill());
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      if (send({ [name]: text } as OutsideAnswer)) return;
      // The client reads slowly, so the command waits.
      child[name].pause();
      client.once("drain", () => child[name].resume());
    });
  }
  child.once("error", (error) => {
    send({ stderr: `hermes: ${problemOf(error)}\n` });
    client.end();
  });
  child.once("close", (code) => {
    send({ exit_code: code ?? 1 });
    client.end();
  });
}

/** The client's first line; empty if it is too long, late or incomplete. */
function readRequest(client: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const late = setTimeout(() => resolve(""), REQUEST_MS).unref();
    const done = (line: string) => {
      clearTimeout(late);
      resolve(line);
    };
    client.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      const end = text.indexOf("\n");
      if (end !== -1) done(text.slice(0, end));
      else if (text.length > LONGEST_REQUEST) done("");
    });
    client.once("close", () => done(""));
  });
}
