/** 1,000 messages on each messaging platform. */
import { testLoad } from "./message-load.ts";

testLoad(50);
