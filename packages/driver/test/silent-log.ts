import { pino } from "pino";

/** For those who do not read it. */
export const silentLog = pino({ level: "silent" });
