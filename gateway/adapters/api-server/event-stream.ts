/** Server-sent events on one response. */
import type { ServerResponse } from "node:http";

/** A client that reads nothing while this much is written is disconnected. */
const MOST_UNREAD_BYTES = 16 * 1024 * 1024;

export interface EventStream {
  /** True once the status and the headers are sent. */
  readonly begun: boolean;
  /** Sends an event; an object as its JSON, a string as it is. With `name`, the event has that type. */
  send(data: object | string, name?: string): void;
  /** Releases the response; only allowed before anything was sent. */
  release(): void;
  end(): void;
}

/**
 * Nothing is sent before the first event or, if there is none for `keepAliveMs`, a comment: until then the answer can
 * still become an error with its own status. Comments keep silent streams open across proxies.
 */
export function openEventStream(
  response: ServerResponse,
  options: { readonly keepAliveMs: number; readonly headers: () => Readonly<Record<string, string>> },
): EventStream {
  let begun = false;
  const silence = setInterval(() => write(": keep-alive\n\n"), options.keepAliveMs);
  response.once("close", () => clearInterval(silence));

  function write(text: string): void {
    if (response.destroyed || response.writableEnded) return;
    if (!begun) {
      begun = true;
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        // nginx and the like would otherwise buffer the events.
        "x-accel-buffering": "no",
        ...options.headers(),
      });
    }
    silence.refresh();
    response.write(text);
    if (response.writableLength > MOST_UNREAD_BYTES) response.destroy();
  }

  return {
    get begun() {
      return begun;
    },
    send(data, name) {
      const event = name === undefined ? "" : `event: ${name}\n`;
      write(`${event}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
    },
    release: () => clearInterval(silence),
    end() {
      clearInterval(silence);
      response.end();
    },
  };
}
