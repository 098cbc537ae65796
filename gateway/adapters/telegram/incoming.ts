/** Turns updates into arrivals for the gateway. */
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { ChatImage } from "#core/messages";
import type { Inbox } from "#core/ports/platform";
import type { Arrival } from "#gateway/adapters/shared/arrivals";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { LARGEST_FILE } from "#gateway/adapters/shared/files";
import type { TelegramClient } from "./client.ts";
import { imageOf, messageFrom, migrationOf, pressOf } from "./updates.ts";

export interface IncomingDeps {
  readonly client: Pick<TelegramClient, "download" | "answerPress">;
  readonly inbox: Pick<Inbox, "moved">;
  readonly arrive: (arrival: Arrival) => Promise<void>;
  readonly log: Log;
  readonly botName: string | null;
}

/** Returns a function that takes an update and resolves when its message is done. It never rejects. */
export function createIncoming(deps: IncomingDeps): (update: unknown) => Promise<void> {
  const { client, inbox, arrive, log, botName } = deps;

  async function load(fileId: string): Promise<ChatImage> {
    const data = await client.download(fileId, LARGEST_FILE);
    // Telegram turns every photo into a JPEG.
    return { media_type: "image/jpeg", data: data.toString("base64") };
  }

  async function pressed({ id, message }: NonNullable<ReturnType<typeof pressOf>>): Promise<void> {
    // The press is taken whether or not the user's app shows so.
    void client.answerPress(id).catch((thrown: unknown) => {
      log.debug(`telegram: the press of a button could not be confirmed: ${callFailureOf(thrown).message}`);
    });
    if (message !== null) await arrive({ message });
  }

  return async (update) => {
    try {
      const migration = migrationOf(update);
      if (migration !== null) return inbox.moved?.(migration.from, migration.to);
      const press = pressOf(update);
      if (press !== null) return await pressed(press);
      const message = messageFrom(update, botName);
      if (message === null) return;
      const hasWords = message.unreadable === undefined && !message.text.startsWith("/");
      const fileId = hasWords ? imageOf(update) : null;
      await arrive({ message, images: fileId === null ? [] : [() => load(fileId)] });
    } catch (error) {
      // An update of an unknown form is dropped.
      log.warn(`telegram: an update could not be processed: ${problemOf(error)}`);
    }
  };
}
