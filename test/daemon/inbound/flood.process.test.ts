/** Floods of requests, briefly; `flood.long.test.ts` sends thousands. */
import { testFloods } from "./flood.ts";

testFloods(300);
