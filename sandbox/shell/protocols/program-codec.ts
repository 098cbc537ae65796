/** Runs scripts that were written for another program: their document, their environment, their answers. */
import type { EventName } from "#core/events";
import type { Firing } from "#core/ports/hook";
import { stringify } from "#core/stringify";
import type { FinishedRun, ProtocolCodec } from "#sandbox/shell/codec";
import type { ShellEntry } from "#sandbox/shell/entries";
import type { ShellContext } from "#sandbox/shell/protocol";
import { NOTHING } from "./program-events.ts";
import { rowOf, SHELL, type EventFields, type Program, type ProgramEvent } from "./program.ts";
import { readRun } from "./program-answers.ts";
import type { Verbs } from "./spoken.ts";

export interface FiringContext {
  readonly firing: Firing;
  readonly place: ShellContext;
  readonly row: ProgramEvent;
  /** The session that the user talks to. */
  readonly session: string;
}

export interface ProgramCodec {
  readonly program: Program;
  /** The fields that all events of the program share. */
  readonly shared: (context: FiringContext) => EventFields;
  /** Variables beside those that name the project's folder. */
  readonly variables?: (context: FiringContext) => Readonly<Record<string, string>>;
  readonly verbs: Verbs;
}

export function createProgramCodec({ program, shared, variables, verbs }: ProgramCodec): ProtocolCodec {
  /** One for each row, and whether scripts can reach the files of the session. */
  const forms = new Map<string, symbol>();

  function contextOf(entry: RowName, firing: Firing, place: ShellContext): FiringContext {
    const { session_id, parent_session_id } = firing.payload as EventFields;
    const session = firing.origin?.user_session_id || session_id || parent_session_id || "";
    return { firing, place, row: rowFor(entry, firing.event), session: typeof session === "string" ? session : "" };
  }

  function rowFor({ protocolEvent }: RowName, event: EventName): ProgramEvent {
    const row = rowOf(program, event, protocolEvent) ?? rowOf(program, event, null);
    if (row === undefined) throw new TypeError(`protocol: ${program.protocol} has no event for ${event}`);
    return row;
  }

  function formOf({ name }: ProgramEvent, withFiles: boolean): symbol {
    const key = `${name} ${withFiles}`;
    const form = forms.get(key) ?? Symbol(`${program.protocol} document of ${key}`);
    forms.set(key, form);
    return form;
  }

  return {
    concerns: (firing, entry) => rowFor(entry, firing.event).concerns?.(firing) ?? true,
    argv: ({ command, argv, throughShell }) => (command !== null && throughShell ? [SHELL, "-c", command] : argv),
    environment(run) {
      const context = contextOf(run.entry, run.firing, run.shellContext);
      const folders: Record<string, string> = {};
      for (const name of program.projectVariables) folders[name] = run.shellContext.cwd;
      return { ...folders, ...variables?.(context), ...environmentFile(run, context.row) };
    },
    namesFiles: true,
    document: (firing, place, entry) =>
      firing.form(formOf(rowFor(entry, firing.event), place.sessionFiles !== undefined), (payload) => {
        const context = contextOf(entry, firing, place);
        return stringify({ ...shared(context), ...context.row.fields(payload, place) });
      }),
    read: (run) => readRun(run, { program, verbs, row: rowFor(run.entry, run.firing.event) }),
  };
}

type RowName = Pick<ShellEntry, "protocolEvent">;

function environmentFile(run: Pick<FinishedRun, "entry" | "firing" | "shellContext">, row: ProgramEvent): object {
  const { entry, firing, shellContext } = run;
  if (row.exportsVariables) {
    const file = shellContext.sessionFiles?.environmentFile(firing.session_id, String(entry.index));
    return { CLAUDE_ENV_FILE: file ?? NOTHING };
  }
  // The file of a Claude Code around this program is not the session's.
  return shellContext.env["CLAUDE_ENV_FILE"] === undefined ? {} : { CLAUDE_ENV_FILE: "" };
}
