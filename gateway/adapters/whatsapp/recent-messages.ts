/** The last messages by id: WhatsApp sends only the id of a message that is replied to. */
import { BoundedMap } from "#core/bounded-map";
import { truncate } from "#core/truncate";

export interface KnownMessage {
  /** Who wrote it, for the model: `you` for the gateway. */
  readonly speaker: string;
  readonly text: string;
}

const MOST_MESSAGES = 1000;
const MOST_USERS = 1000;
/** The model needs to recognise the text, not to have all of it again. */
const LONGEST_TEXT = 1000;

export class RecentMessages {
  readonly #messages = new BoundedMap<string, KnownMessage>(MOST_MESSAGES);
  readonly #newest = new BoundedMap<string, string>(MOST_USERS);

  /** Remembers a message. */
  note(id: string, { speaker, text }: KnownMessage): void {
    this.#messages.set(id, { speaker, text: truncate(text, LONGEST_TEXT).toWellFormed() });
  }

  /** Remembers which message of a user is the newest. */
  noteFrom(user: string, id: string): void {
    this.#newest.set(user, id);
  }

  find(id: string): KnownMessage | undefined {
    return this.#messages.get(id);
  }

  newestFrom(user: string): string | undefined {
    return this.#newest.get(user);
  }
}
