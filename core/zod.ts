import type { z } from "zod";

/** The package itself: schemas are functions of it, so that a start that validates nothing does not load it. */
export type Zod = typeof z;
