/** Tells systemd how the service is (sd_notify(3)), through its own program: Node has no datagram sockets in the file system. */
import { spawn, type ChildProcess } from "node:child_process";
import { problemOf } from "#core/errors";

export interface Systemd {
  /** Everything listens. With a watchdog, systemd then expects a sign of life in each period. */
  ready(): void;
  /** The service has begun to end. */
  stopping(): void;
}

export interface SystemdOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly warn: (sentence: string) => void;
}

interface NotifySettings {
  /** Where systemd listens; undefined when it did not start this process. */
  readonly socket: string | undefined;
  /** How often systemd wants a sign of life, in milliseconds; undefined for never. */
  readonly periodMs: number | undefined;
}

/** A sign of life that takes longer than this comes too late. */
const SEND_MS = 10_000;
const VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * Takes systemd's variables out of `env`, so that no task and no hook inherits them. `isWell` says whether this process
 * can do its work; while it says no, the watchdog gets no sign of life.
 */
export function connectSystemd({
  env,
  warn,
}: SystemdOptions): (isWell: () => boolean | Promise<boolean>) => Systemd & Disposable {
  const { socket, periodMs } = takeSettings(env);
  let canSend = socket !== undefined;
  const send = (message: string): void => {
    if (socket === undefined || !canSend) return;
    const child = startNotify(socket, message, env);
    child.once("error", (error) => {
      canSend = false;
      warn(`systemd is not told how hermes is, because systemd-notify cannot be started: ${problemOf(error)}`);
    });
    child.once("exit", (code, signal) => {
      if (code === 0) return;
      warn(`systemd is not told how hermes is: systemd-notify ended with ${signal ?? `exit code ${code}`}`);
    });
  };
  return (isWell) => {
    let beats: NodeJS.Timeout | undefined;
    return {
      ready() {
        send("READY=1");
        if (periodMs !== undefined) beats = setInterval(() => void beat(), periodMs / 2);
      },
      stopping: () => send("STOPPING=1"),
      [Symbol.dispose]: () => clearInterval(beats),
    };

    async function beat(): Promise<void> {
      if (await isWell()) send("WATCHDOG=1");
    }
  };
}

function takeSettings(env: NodeJS.ProcessEnv): NotifySettings {
  const [socket, usec, pid] = VARIABLES.map((name) => env[name] || undefined);
  for (const name of VARIABLES) delete env[name];
  const micros = Number(usec);
  const isMine = pid === undefined || Number(pid) === process.pid;
  const hasWatchdog = socket !== undefined && isMine && Number.isInteger(micros) && micros > 0;
  return { socket, periodMs: hasWatchdog ? micros / 1000 : undefined };
}

function startNotify(socket: string, message: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn("systemd-notify", [message], {
    env: { PATH: env["PATH"], NOTIFY_SOCKET: socket },
    stdio: "ignore",
    timeout: SEND_MS,
    killSignal: "SIGKILL",
  });
}
