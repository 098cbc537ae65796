/** Messaging platforms under load, briefly; `message-load.long.test.ts` sends 1,000 messages on each. */
import { testLoad } from "./message-load.ts";

testLoad(10);
