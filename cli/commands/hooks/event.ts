import { HermesError } from "#core/errors";
import { EVENT_NAMES, isEventName, type EventName } from "#core/events";
import { isGatewayEventName } from "#core/gateway-event-names";
import { didYouMean } from "#core/suggest";

/** The event that the user named. Throws HERMES_EVENT_UNKNOWN. */
export function demandEvent(name: string): EventName {
  if (isEventName(name)) return name;
  const hint = isGatewayEventName(name)
    ? " It is an event for gateway hooks, not for shell hooks."
    : didYouMean(name, EVENT_NAMES) || ` The events are ${EVENT_NAMES.join(", ")}.`;
  throw new HermesError("HERMES_EVENT_UNKNOWN", { event: name, hint });
}
