import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { demandVisible } from "#core/home/hidden";
import type { Pairing } from "#gateway/pairing";
import { commandPath } from "../command-path.ts";
import { printList, type Column } from "../list.ts";
import type { CliContext } from "../context.ts";

const EXAMPLES = `
Examples:
  hermes pairing list                      list paired users and pending codes
  hermes pairing approve ABCD2345          give access to the user who got this code
  hermes pairing revoke telegram 12345678  revoke this user's access

Changes apply to the next message, also in a running gateway.`;

/** `hermes pairing list|approve|revoke` (CONTRACT §3). */
export function addPairingCommand(program: Command, context: CliContext): void {
  const pairing = program
    .command("pairing")
    .description("Manage the users who got access to the gateway with a one-time code.")
    .addHelpText("after", EXAMPLES);
  pairing
    .command("list")
    .description("list paired users and pending codes")
    .option("--json", "print JSON")
    .action((options: Options, command: Command) =>
      withPairing(command, context, (store) => list(store, options, context)),
    );
  pairing
    .command("approve")
    .description("give access to the user who got a code")
    .usage("[options] [platform] <code>")
    .argument("<code>", "code that the user got; put the platform's name first to be specific")
    .argument("[code]")
    .option("--json", "print JSON")
    .action((first: string, second: string | undefined, options: Options, command: Command) => {
      const asked = second === undefined ? { code: first } : { platform: first, code: second };
      return withPairing(command, context, (store) => approve(store, asked, options, context));
    });
  pairing
    .command("revoke")
    .description("revoke a user's access and any pending code")
    .argument("<platform>", "platform name, as in the list")
    .argument("<user>", "user id on the platform")
    .option("--json", "print JSON")
    .action((platform: string, user: string, options: Options, command: Command) =>
      withPairing(command, context, (store) => revoke(store, { platform, user_id: user }, options, context)),
    );
}

interface Options {
  readonly json?: true;
}

async function withPairing(
  command: Command,
  context: CliContext,
  use: (pairing: Pairing) => void | Promise<void>,
): Promise<void> {
  const { existsSync } = await import("node:fs");
  const { openDatabase, openMemoryDatabase } = await import("#core/home/database");
  const { Pairing: Store } = await import("#gateway/pairing");
  const paths = context.paths(command);
  demandVisible(paths, `hermes ${commandPath(command)}`);
  const { state } = paths;
  // Listing users must not create a database; a wrong code must be counted somewhere.
  const database =
    existsSync(state) || command.name() === "approve" ? openDatabase(state, context.warn) : openMemoryDatabase();
  try {
    await use(new Store(database));
  } finally {
    database.close();
  }
}

const COLUMNS: readonly Column[] = [
  { head: "", kind: "state" },
  { head: "" },
  { head: "" },
  { head: "", kind: "text" },
];

function list(pairing: Pairing, { json }: Options, context: CliContext): void {
  const { pending, paired, locked_until } = pairing.list();
  if (json) return context.json({ pending, paired, locked_until });
  const rows = [
    ...paired.map(({ platform, user_id, approved_at }) => ["paired", platform, user_id, `since ${approved_at}`]),
    ...pending.map(({ platform, user_id, expires_at }) => [
      "pending",
      platform,
      user_id,
      `code valid until ${expires_at}`,
    ]),
  ];
  if (rows.length === 0) context.out("No paired users and no pending codes.");
  else printList(context, COLUMNS, rows);
  if (locked_until !== null) context.note(`Pairing is locked until ${locked_until} after too many wrong codes.`);
}

async function approve(
  pairing: Pairing,
  { code, platform }: { readonly code: string; readonly platform?: string },
  { json }: Options,
  context: CliContext,
): Promise<void> {
  const user = await pairing.approve(code, platform);
  if (json) return context.json({ approved: user });
  context.out(`The user ${user.user_id} of ${user.platform} now has access.`);
}

function revoke(
  pairing: Pairing,
  user: { readonly platform: string; readonly user_id: string },
  { json }: Options,
  context: CliContext,
): void {
  const { platform, user_id } = user;
  if (!pairing.revoke(platform, user_id)) {
    const problem = `The user ${user_id} of ${platform} is not paired. "hermes pairing list" lists the paired users.`;
    throw new HermesError("HERMES_PAIRING_UNKNOWN", { problem });
  }
  if (json) return context.json({ revoked: user });
  context.out(`The user ${user_id} of ${platform} no longer has access.`);
}
