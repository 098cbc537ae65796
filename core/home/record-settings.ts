/** The settings of the recorder of firings, below `record` (CONTRACT §17). */
import type { z } from "zod";
import { EVENT_NAMES, isEventName } from "#core/events";
import { findPatternProblem } from "#core/gateway-event-names";
import { didYouMean } from "#core/suggest";
import type { Zod } from "#core/zod";

export type RecordSettings = z.infer<ReturnType<typeof recordSchema>>;

/** What holds when the settings do not say; all hook events are recorded then. */
export const RECORD_DEFAULTS = { enabled: false, keep_days: 14, max_mb: 200 } as const;

export function recordSchema(zod: Zod) {
  return zod
    .strictObject({
      enabled: zod.boolean().describe("Off by default"),
      events: zod
        .array(zod.string())
        .check((context) => {
          for (const [index, name] of context.value.entries()) {
            if (isEventName(name) || findPatternProblem(name) === null) continue;
            const message = `"${name}" is no event.${didYouMean(name, EVENT_NAMES)}`;
            context.issues.push({ code: "custom", message, input: name, path: [index] });
          }
        })
        .describe("Hook events, gateway events, or namespace:*; by default all hook events"),
      keep_days: zod.number().min(0).describe("Days after which a recording is deleted; 14 by default, 0 keeps all"),
      max_mb: zod.number().positive().describe("Most megabytes of recordings; the oldest are deleted; 200 by default"),
    })
    .partial();
}
