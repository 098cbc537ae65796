/** The turn of one message: the agent runs it, and the recipient gets the outcome. */
import { EXIT, HermesError } from "#core/errors";
import type { Frame, FrameOf } from "#core/frames";
import type { Session, TurnResult } from "#core/ports/agent";
import type { HookRun } from "#core/ports/hook";
import type { AskUser } from "#core/ports/question";
import type { ChatTurnRequest } from "./chat-session.ts";
import type { GatewayDeps } from "./deps.ts";
import { asHermesError, sentenceFor } from "./failure.ts";
import type { LiveSessions } from "./live-sessions.ts";
import { userMessage, type RequestContext } from "./message.ts";
import type { Recipient } from "./recipient.ts";

/** A message that needs a turn, with what the router knows about it. */
export interface MessageWish extends ChatTurnRequest {
  readonly key: string | null;
  readonly platform: string;
  readonly user_id: string;
  /** Finds or creates the message's session. Throws HERMES_STATE_UNAVAILABLE. */
  readonly open: () => Session;
  /** The earlier messages and the instructions of a client that sends them. */
  readonly request: RequestContext;
  /** The hooks that ran before the session was known. */
  readonly runs: readonly HookRun[];
  /** Asks in the chat about a tool call; undefined for a request, whose caller waits for one answer. */
  readonly ask: AskUser | undefined;
}

type TurnDeps = Pick<GatewayDeps, "runner" | "log"> & {
  readonly live: LiveSessions;
  readonly closing: AbortSignal;
};

/** A chat is not flooded by hooks: further notices of a turn are only on the terminal and in the log. */
const MOST_NOTICES = 5;

/** Runs the turn and answers. Never rejects. */
export async function runChatTurn(deps: TurnDeps, wish: MessageWish, signal: AbortSignal): Promise<void> {
  const { recipient } = wish;
  if (signal.aborted) return recipient.fail(new HermesError("HERMES_INTERRUPTED", {}), null);
  try {
    const session = openSession(deps, wish);
    // Somebody may continue by its id a session that a request with its own history uses.
    if (deps.live.isBusy(session)) await deps.live.whenIdle(session);
    await converse(deps, wish, session, signal);
    if (wish.request.history !== undefined) await deps.live.keepForClient(session, deps.closing);
  } catch (error) {
    const problem = asHermesError(error);
    deps.log.error("a turn failed", { problem: problem.message, code: problem.code, session_key: wish.key });
    await recipient.fail(problem, sentenceFor(problem.code));
  }
}

function openSession({ live }: TurnDeps, { open, before }: MessageWish): Session {
  const session = open();
  for (const { text, images } of before) live.append(session.id, userMessage(text, images));
  return session;
}

async function converse(deps: TurnDeps, wish: MessageWish, session: Session, signal: AbortSignal): Promise<void> {
  const { recipient, platform, user_id, runs, ask, text: message, images } = wish;
  const { history, instructions } = wish.request;
  let error: FrameOf<"error"> | undefined;
  const onFrame = (frame: Frame) => {
    if (frame.type === "error") error = frame;
    recipient.show(frame);
  };
  const onNotice = sendNotices(recipient);
  deps.live.begin(session);
  let result: TurnResult;
  try {
    const input = { message, images, history, instructions };
    result = await deps.runner.turn({ ...input, session, platform, user_id, runs, signal, onFrame, onNotice, ask });
  } finally {
    deps.live.end(session);
  }
  if (result.text !== null) return recipient.answer(result.text, session.id, result.notice);
  if (result.interrupted && signal.reason === "draining") {
    const stopped = new HermesError("HERMES_GATEWAY_STOPPED", {});
    return recipient.fail(stopped, stopped.message, session.id);
  }
  if (result.interrupted) return recipient.fail(new HermesError("HERMES_INTERRUPTED", {}), null, session.id);
  const problem = problemOfFrame(error);
  deps.log.error("a turn ended without an answer", {
    problem: problem.message,
    code: problem.code,
    session_id: session.id,
  });
  return recipient.fail(problem, sentenceFor(problem.code), session.id);
}

/** What hooks say to the user, one after another, without holding up the turn. */
function sendNotices(recipient: Recipient): (text: string) => void {
  let left = MOST_NOTICES;
  let last = Promise.resolve();
  return (text) => {
    if (left-- > 0) last = last.then(() => recipient.notice(text));
  };
}

/** Turns the error frame of a turn into an error again; its message was composed where it happened. */
function problemOfFrame(frame: FrameOf<"error"> | undefined): HermesError {
  if (frame === undefined) return new HermesError("HERMES_INTERNAL", { problem: "the turn ended without a message" });
  const { code, message } = frame;
  return Object.assign(new Error(message), {
    name: "HermesError" as const,
    code,
    fields: {},
    exitCode: code === "HERMES_TURN_LIMIT" ? EXIT.turnLimit : EXIT.failed,
  });
}
