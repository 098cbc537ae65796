/** What deliveries keep to in every engine. */
import type { Count } from "#core/ports/counters";

/** What is said of a delivery that was tried for too long. */
export const GIVEN_UP = "it could not be delivered for a week";

/** What adds to the counters when deliveries end. */
export function deliveryCounts(
  outcome: "delivered" | "failed" | "disabled",
  deliveries: readonly { readonly endpoint: string }[],
): readonly Count[] {
  return deliveries.map(({ endpoint }) => ({ name: "deliveries", labels: [endpoint, outcome], amount: 1 }));
}
