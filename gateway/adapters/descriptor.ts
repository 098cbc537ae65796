/** What the gateway knows about a built-in platform before it runs: one descriptor each, in `table.ts`. */
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "#core/home/log";
import type { PlatformName, PlatformSettings } from "#core/home/platform-settings";
import type { Adapter } from "#core/ports/platform";
import type { PlatformSetup } from "./setup.ts";

/** What every adapter may use of the program. */
export interface AdapterServices {
  /** The model that answers now. */
  readonly model: () => { readonly id: string; readonly provider: string };
  /** The version of the program. */
  readonly version: string;
  /** `state.db`. */
  readonly database: DatabaseSync;
  /** Whether there is a session with this id. */
  readonly isSession: (id: string) => boolean;
  readonly log: Log;
  /** Shows a sentence to the operator of the gateway, who has to do something about it. */
  readonly warn: (sentence: string) => void;
  /** The slash commands that users may send, those of plugins included. */
  readonly commands: () => readonly ListedCommand[];
  /** False while a hook may replace the final answer: then nothing of it is shown before it is complete. */
  readonly streaming: () => boolean;
}

/** A slash command for a platform's own list of commands. */
export interface ListedCommand {
  /** Without the slash. */
  readonly name: string;
  /** How its arguments are written; absent for one without. */
  readonly usage?: string | undefined;
  readonly summary: string;
}

export interface PlatformDescriptor<Name extends PlatformName = PlatformName> {
  /** As in `gateway.platforms` and in session keys. */
  readonly name: Name;
  /** What is wrong with the settings, without starting anything: `hermes config check` and the adapter's start ask it. */
  readonly problem: (settings: PlatformSettings<Name>) => string | undefined;
  /** Makes the adapter; it starts nothing. The adapter's code and packages are loaded here. */
  readonly create: (settings: PlatformSettings<Name>, services: AdapterServices) => Promise<Adapter>;
  /** What it is, in a few words, for lists. */
  readonly about: string;
  /** How `hermes gateway setup` asks for its settings. */
  readonly setup: () => Promise<PlatformSetup>;
  /** True for a platform whose key is all the access control there is: nobody pairs. */
  readonly exempt?: true;
  /** Where a running adapter is reached, for the line that announces it; null when it is not. */
  readonly address?: (adapter: Adapter) => string | null;
}

/** Checks a descriptor and keeps its types. */
export function describePlatform<Name extends PlatformName>(
  descriptor: PlatformDescriptor<Name>,
): PlatformDescriptor<Name> {
  return descriptor;
}
